-- Mails that were or are being sent: claimed before the mail provider is asked, so that each goes out once.

CREATE TABLE mails (
    id TEXT PRIMARY KEY,                -- also the idempotency key at the mail provider
    order_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,              -- id of the refund that it is about; '': the order as a whole
    claimed_at INTEGER,                 -- NULL: nobody is sending it
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    sent_at INTEGER,
    UNIQUE (order_id, kind, subject)
);
