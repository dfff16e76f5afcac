-- The first answers to POSTs with an Idempotency-Key, but for those whose key names the record that it makes (orders, refunds, …).

CREATE TABLE idempotency_keys (
    caller TEXT NOT NULL,               -- digest of the credentials that were shown
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    request_id TEXT NOT NULL,           -- the request that has the key
    claimed_at INTEGER NOT NULL,
    answer TEXT,                        -- JSON {status, headers, body}; NULL while under way
    PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (claimed_at);
