-- Orders in full: addresses, fulfilments, returns, refunds, the ledger; checkouts that are kept until late messages are undone.

-- A key and a cart are free again once all that a refused checkout took was given back.
CREATE TABLE checkouts_2 (
    order_id TEXT PRIMARY KEY,
    cart_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    quote_id TEXT NOT NULL,
    billing_address TEXT,               -- JSON
    step TEXT NOT NULL,                 -- started | placed | refused | returned
    live INTEGER NOT NULL,              -- 1 while it has the cart
    updated_at INTEGER NOT NULL
);
INSERT INTO checkouts_2 (order_id, cart_id, idempotency_key, request_hash, quote_id, billing_address, step, live, updated_at)
SELECT order_id, cart_id, idempotency_key, request_hash, quote_id, billing_address, step, live, updated_at FROM checkouts;
DROP TABLE checkouts;
ALTER TABLE checkouts_2 RENAME TO checkouts;
CREATE UNIQUE INDEX one_checkout_per_key ON checkouts (cart_id, idempotency_key) WHERE step <> 'returned';
CREATE UNIQUE INDEX one_live_checkout_per_cart ON checkouts (cart_id) WHERE live = 1;
CREATE INDEX undecided_checkouts ON checkouts (updated_at) WHERE step <> 'placed';

CREATE TABLE order_addresses (
    order_id TEXT NOT NULL,
    kind TEXT NOT NULL,                 -- shipping | billing
    name TEXT NOT NULL,
    line1 TEXT NOT NULL,
    line2 TEXT,
    city TEXT NOT NULL,
    region TEXT,
    postal_code TEXT,
    country TEXT NOT NULL,              -- ISO 3166-1 alpha-2
    PRIMARY KEY (order_id, kind)
) WITHOUT ROWID;
INSERT INTO order_addresses (order_id, kind, name, line1, line2, city, region, postal_code, country)
SELECT id, 'shipping', shipping_address ->> 'name', shipping_address ->> 'line1', shipping_address ->> 'line2', shipping_address ->> 'city',
    shipping_address ->> 'region', shipping_address ->> 'postal_code', shipping_address ->> 'country' FROM orders
UNION ALL
SELECT id, 'billing', billing_address ->> 'name', billing_address ->> 'line1', billing_address ->> 'line2', billing_address ->> 'city',
    billing_address ->> 'region', billing_address ->> 'postal_code', billing_address ->> 'country' FROM orders WHERE billing_address IS NOT NULL;
ALTER TABLE orders DROP COLUMN shipping_address;
ALTER TABLE orders DROP COLUMN billing_address;
CREATE INDEX orders_by_cart ON orders (cart_id, number);
CREATE INDEX orders_by_status ON orders (status, number);

ALTER TABLE order_events ADD COLUMN actor TEXT NOT NULL DEFAULT 'shop'; -- shop | shopper | staff
ALTER TABLE order_events ADD COLUMN subject TEXT; -- id of the fulfilment, return or refund
ALTER TABLE order_events ADD COLUMN note TEXT;    -- a person's words

ALTER TABLE payments ADD COLUMN captured_amount INTEGER;
ALTER TABLE payments ADD COLUMN captured_currency TEXT;
ALTER TABLE payments ADD COLUMN look_at INTEGER NOT NULL DEFAULT 0; -- when the sweep next asks how a payment that is not settled stands
UPDATE payments SET look_at = expires_at;
DROP INDEX unpaid_payments;
CREATE INDEX unsettled_payments ON payments (look_at) WHERE status IN ('preparing', 'open', 'processing');

CREATE TABLE fulfillments (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    lines TEXT NOT NULL,                -- JSON [{sku, quantity}]
    carrier TEXT,
    tracking_number TEXT,
    tracking_url TEXT,
    shipped_at INTEGER NOT NULL,
    delivered_at INTEGER
);
CREATE INDEX fulfillments_by_order ON fulfillments (order_id);

CREATE TABLE returns (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    lines TEXT NOT NULL,                -- JSON [{sku, quantity}]
    restock INTEGER NOT NULL,
    reason TEXT,
    worth INTEGER NOT NULL,             -- what was paid for them, in the order's currency
    returned_at INTEGER NOT NULL
);
CREATE INDEX returns_by_order ON returns (order_id);

CREATE TABLE refunds (
    id TEXT PRIMARY KEY,                -- also the idempotency key at the provider
    order_id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,               -- pending | succeeded | failed
    created_at INTEGER NOT NULL
);
CREATE INDEX refunds_by_order ON refunds (order_id);

-- The double-entry ledger. A journal belongs to a move of an order; a debit is positive.
CREATE TABLE ledger_entries (
    order_id TEXT NOT NULL,
    version INTEGER NOT NULL,           -- of the move
    journal INTEGER NOT NULL,           -- counts the journals of one move
    account TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (order_id, version, journal, account)
) WITHOUT ROWID;

-- Written after its entries, in the same transaction: what does not sum to zero fails whole.
CREATE TABLE journals (
    order_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    journal INTEGER NOT NULL,
    at INTEGER NOT NULL,
    balance INTEGER NOT NULL CHECK (balance = 0),
    PRIMARY KEY (order_id, version, journal)
) WITHOUT ROWID;
CREATE INDEX journals_by_time ON journals (at);

-- What must follow a move may be about a record of its own.
CREATE TABLE outbox_2 (
    order_id TEXT NOT NULL,
    effect TEXT NOT NULL,
    subject TEXT NOT NULL,              -- id of a fulfilment, return or refund, number of an attempt; empty: the order
    position INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    done_at INTEGER,
    PRIMARY KEY (order_id, effect, subject)
) WITHOUT ROWID;
INSERT INTO outbox_2 (order_id, effect, subject, position, due_at, attempts, last_error, done_at)
SELECT order_id, effect, '', position, due_at, attempts, last_error, done_at FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_2 RENAME TO outbox;
CREATE INDEX undone_tasks ON outbox (due_at) WHERE done_at IS NULL;

-- What the sweep found, for staff.
CREATE TABLE findings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    error TEXT,                         -- NULL: it is finished
    found_at INTEGER NOT NULL
);
