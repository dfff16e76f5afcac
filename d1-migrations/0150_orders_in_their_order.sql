-- Numbers of orders are drawn, so lists go by the order in which rows were written, which every index ends with. An order is written to
-- as many indexes as before.
CREATE INDEX orders_of_cart ON orders (cart_id);
CREATE INDEX orders_with_status ON orders (status);
DROP INDEX orders_by_cart;
DROP INDEX orders_by_status;
