-- Orders that showed no proof, where the shop asks for one: a network places few of them in ten minutes, whatever becomes of them.

CREATE TABLE unproved_orders (
    network TEXT NOT NULL,              -- keyed digest
    placed_at INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (network, placed_at, order_id)
) WITHOUT ROWID;
CREATE INDEX unproved_orders_by_age ON unproved_orders (placed_at);

INSERT INTO purges (kind) VALUES ('unproved_orders');
