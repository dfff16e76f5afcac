-- Where a pending order came from, as a keyed digest: a network may not hold all stock. It is forgotten when the order is paid or ends.

ALTER TABLE checkouts ADD COLUMN network TEXT;
CREATE INDEX pending_orders_by_network ON checkouts (network) WHERE live = 1 AND network IS NOT NULL;
