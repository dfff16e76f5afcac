-- Whether a provider is asked or left alone for a while: written when that changes, read by every isolate.

CREATE TABLE circuit_breakers (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,           -- counts changes; of two isolates that saw the same, one writes
    breaker TEXT NOT NULL,              -- JSON {state: closed | open | half_open, …}
    changed_at INTEGER NOT NULL,
    last_error TEXT
);
