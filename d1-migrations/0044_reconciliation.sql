-- When each scheduled job last had its turn, and by which name the provider knows the money of an order.

CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    ran_at INTEGER NOT NULL
);

ALTER TABLE payments ADD COLUMN payment_ref TEXT;
CREATE UNIQUE INDEX payments_by_ref ON payments (payment_ref) WHERE payment_ref IS NOT NULL;
