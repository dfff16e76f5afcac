-- The payment provider's events, kept before they are answered, and messages that failed for good.

CREATE TABLE webhook_events (
    id TEXT PRIMARY KEY,                -- the provider's: a redelivery finds its row
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    processed_at INTEGER,
    outcome TEXT
);
CREATE INDEX unseen_webhook_events ON webhook_events (received_at) WHERE processed_at IS NULL AND attempts = 0;

CREATE TABLE dead_letters (
    id TEXT PRIMARY KEY,                -- queue and message id: a redelivery finds its row
    queue TEXT NOT NULL,
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    buried_at INTEGER NOT NULL
);
