-- Findings are told by mail and by webhook: one row for each finding and channel.

CREATE TABLE finding_deliveries (
    finding_id INTEGER NOT NULL,
    channel TEXT NOT NULL,              -- mail | webhook
    digest INTEGER,                     -- the mail that it is told in, by the time at which that was begun
    due_at INTEGER,                     -- NULL: it has ended
    give_up_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    delivered_at INTEGER,
    failed_at INTEGER,
    PRIMARY KEY (finding_id, channel)
) WITHOUT ROWID;
CREATE INDEX finding_deliveries_by_channel ON finding_deliveries (channel, finding_id);
CREATE INDEX due_finding_deliveries ON finding_deliveries (channel, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX finding_digests ON finding_deliveries (channel, digest) WHERE digest IS NOT NULL;

-- Those that are for staff: what a sweep finishes by itself is in the list alone.
CREATE INDEX findings_for_staff ON findings (id)
WHERE kind NOT IN ('stuck_checkout', 'unseen_event', 'undone_tasks', 'overdue_order', 'undelivered_event');
