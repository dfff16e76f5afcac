-- The provider of each payment, and of what a provider tells. What was kept before is Stripe's.
ALTER TABLE payments ADD COLUMN provider TEXT NOT NULL DEFAULT 'stripe';
ALTER TABLE webhook_events ADD COLUMN provider TEXT NOT NULL DEFAULT 'stripe';
ALTER TABLE stray_payments ADD COLUMN provider TEXT NOT NULL DEFAULT 'stripe';
ALTER TABLE balance_entries ADD COLUMN provider TEXT NOT NULL DEFAULT 'stripe';

-- A breaker is called by the name of its provider.
UPDATE circuit_breakers SET name = 'stripe' WHERE name = 'payments';
