-- What becomes of events and dead letters: every failure with its time, what staff did, and why.

-- When the sweep queues an event that nobody has dealt with; NULL: it is a dead letter, which waits for staff.
ALTER TABLE webhook_events ADD COLUMN due_at INTEGER DEFAULT 0;
DROP INDEX unseen_webhook_events;
CREATE INDEX due_webhook_events ON webhook_events (due_at) WHERE processed_at IS NULL;

CREATE TABLE failures (
    id INTEGER PRIMARY KEY,
    message TEXT NOT NULL,              -- the body of what failed in a queue
    at INTEGER NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX failures_of_message ON failures (message, at);

DROP TABLE dead_letters;
CREATE TABLE dead_letters (
    id TEXT PRIMARY KEY,
    queue TEXT NOT NULL,                -- the dead-letter queue that it came by
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    buried_at INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'dead', -- dead | replayed | discarded
    resolved_at INTEGER,
    resolved_by TEXT,
    reason TEXT                         -- why it was discarded
);
-- A message that dies twice before staff looked is one letter.
CREATE UNIQUE INDEX one_dead_letter_per_message ON dead_letters (queue, body) WHERE status = 'dead';
CREATE INDEX dead_letters_by_time ON dead_letters (status, buried_at, id);
