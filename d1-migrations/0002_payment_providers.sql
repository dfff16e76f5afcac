-- The provider of each payment, and of what a provider tells. What was kept before is Stripe's.
ALTER TABLE payments ADD COLUMN provider TEXT NOT NULL DEFAULT 'stripe';
ALTER TABLE webhook_events ADD COLUMN provider TEXT NOT NULL DEFAULT 'stripe';
ALTER TABLE stray_payments ADD COLUMN provider TEXT NOT NULL DEFAULT 'stripe';
ALTER TABLE balance_entries ADD COLUMN provider TEXT NOT NULL DEFAULT 'stripe';

-- A breaker is called by the name of its provider. The Worker before goes on with its own row.
INSERT INTO circuit_breakers (name, version, breaker, changed_at, last_error)
SELECT 'stripe', version, breaker, changed_at, last_error FROM circuit_breakers WHERE name = 'payments';
