-- Disputes as the provider last had them; what they took and gave back stands in the ledger.

CREATE TABLE disputes (
    id TEXT PRIMARY KEY,                -- the provider's
    order_id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL,                -- open | won | lost
    refundable INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,         -- taken and not given back
    fee INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX disputes_by_order ON disputes (order_id);
