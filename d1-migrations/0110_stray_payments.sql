-- Paid sessions that name an order and are not its own: what an earlier attempt of the shop's took goes back in full, once; a stranger's is
-- told to staff and not touched.

CREATE TABLE stray_payments (
    session_id TEXT PRIMARY KEY,        -- the provider's; its journals stand under it in the ledger
    order_id TEXT NOT NULL,             -- that it names
    payment_ref TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    refund_id TEXT,                     -- also the idempotency key at the provider; NULL: a stranger's
    refund_status TEXT,                 -- pending | succeeded | failed
    version INTEGER NOT NULL,           -- of what is booked
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX stray_payments_by_ref ON stray_payments (payment_ref);
