-- A job that is more than one run can do keeps how far it has come.

ALTER TABLE jobs ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN progress TEXT;   -- JSON; NULL: it has not begun

-- Movements of the balance at the payment provider, kept while their day is compared with the ledger.
CREATE TABLE balance_entries (
    id TEXT PRIMARY KEY,                -- the provider's
    payment_ref TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    fee INTEGER NOT NULL,
    currency TEXT NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX balance_entries_by_time ON balance_entries (at, payment_ref);
CREATE INDEX balance_entries_by_payment ON balance_entries (payment_ref);
