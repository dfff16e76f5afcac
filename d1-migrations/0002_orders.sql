-- Quotes, checkouts, orders, payments, and what must follow from them.

CREATE TABLE shipping_methods (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    title TEXT NOT NULL,
    prices TEXT NOT NULL                -- JSON {currency: minor units}
);
INSERT INTO shipping_methods (id, position, title, prices) VALUES
    ('standard', 1, 'Standard, 3–5 working days', '{"USD":595,"EUR":550,"GBP":495,"JPY":800,"KWD":1800}'),
    ('express', 2, 'Express, next working day', '{"USD":1995,"EUR":1850,"GBP":1695,"JPY":2800,"KWD":6000}');

CREATE TABLE tax_rate (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    parts_per_million INTEGER NOT NULL CHECK (parts_per_million BETWEEN 0 AND 1000000)
);
INSERT INTO tax_rate (id, parts_per_million) VALUES (1, 80000);

CREATE TABLE quotes (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,                 -- JSON, immutable
    created_at INTEGER NOT NULL
);

-- Written before anything is frozen or held, so that a crash leaves something to resume from.
CREATE TABLE checkouts (
    order_id TEXT PRIMARY KEY,
    cart_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    quote_id TEXT NOT NULL,
    billing_address TEXT,               -- JSON
    step TEXT NOT NULL,                 -- started | placed | refused
    live INTEGER NOT NULL,              -- 1 while it has the cart
    updated_at INTEGER NOT NULL,
    UNIQUE (cart_id, idempotency_key)
);
CREATE UNIQUE INDEX one_live_checkout_per_cart ON checkouts (cart_id) WHERE live = 1;
CREATE INDEX undecided_checkouts ON checkouts (updated_at) WHERE step <> 'placed';

CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,           -- of its holds
    cart_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    email TEXT NOT NULL,
    shipping_address TEXT NOT NULL,     -- JSON
    billing_address TEXT,               -- JSON
    shipping_method TEXT NOT NULL,
    subtotal INTEGER NOT NULL,
    discount_total INTEGER NOT NULL,
    shipping_total INTEGER NOT NULL,
    tax_total INTEGER NOT NULL,
    total INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE TABLE order_lines (
    order_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    tracked INTEGER NOT NULL,
    unit_price INTEGER NOT NULL,
    line_total INTEGER NOT NULL,
    discount INTEGER NOT NULL,
    tax INTEGER NOT NULL,
    PRIMARY KEY (order_id, position)
) WITHOUT ROWID;

-- Every move of an order, and the guard of its writes: a batch begins by inserting the next version here, so that of two that
-- judged the same version one fails whole. Version 1 is `placed` or `refused`, and so decides a checkout.
CREATE TABLE order_events (
    order_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    happening TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (order_id, version)
) WITHOUT ROWID;

CREATE TABLE payments (
    id TEXT PRIMARY KEY,                -- also the idempotency key at the provider
    order_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,               -- preparing | open | processing | paid | failed
    session_id TEXT UNIQUE,
    url TEXT,
    request TEXT NOT NULL,              -- the exact body, the same for every retry
    expires_at INTEGER NOT NULL
);
CREATE INDEX unpaid_payments ON payments (expires_at) WHERE status IN ('preparing', 'open', 'processing');

-- What must follow a move of an order; carried out until done.
CREATE TABLE outbox (
    order_id TEXT NOT NULL,
    effect TEXT NOT NULL,
    position INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    done_at INTEGER,
    PRIMARY KEY (order_id, effect)
) WITHOUT ROWID;
CREATE INDEX undone_effects ON outbox (due_at) WHERE done_at IS NULL;
