-- A checkout is written when its order is: what came to nothing leaves no row, so keys and carts are those of placed orders alone.
-- The version before refereed its undecided rows by these indexes. Until it is gone, the cart's object does, and the order's first event.

DELETE FROM checkouts WHERE step <> 'placed';
DROP INDEX one_checkout_per_key;
DROP INDEX one_live_checkout_per_cart;
CREATE UNIQUE INDEX one_order_per_key ON checkouts (cart_id, idempotency_key) WHERE step = 'placed';
CREATE UNIQUE INDEX one_pending_order_per_cart ON checkouts (cart_id) WHERE live = 1 AND step = 'placed';
