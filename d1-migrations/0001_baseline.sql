-- The shop's database, by the groups of src/shop from the ground up. Later changes are files of their own.
-- Amounts are integer minor units (ISO 4217); instants are milliseconds since the Unix epoch.

-- ---------------------------------------------------------------------------------------------------------------------
-- Catalog: what the merchant edits. Shoppers see published copies of it, never these rows.

CREATE TABLE products (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL DEFAULT 1, -- counts its changes
    handle TEXT NOT NULL UNIQUE,
    position INTEGER NOT NULL,          -- the merchant's order
    status TEXT NOT NULL,               -- active | draft | archived
    title TEXT NOT NULL,
    description_html TEXT NOT NULL,     -- sanitised
    vendor TEXT NOT NULL,
    type TEXT NOT NULL,
    tags TEXT NOT NULL,                 -- JSON array
    category TEXT NOT NULL,             -- JSON array, from the root down
    options TEXT NOT NULL,              -- JSON array of {name, values}
    images TEXT NOT NULL,               -- JSON array of {url, alt}
    seo TEXT NOT NULL,                  -- JSON {title, description}
    features TEXT NOT NULL DEFAULT '[]',            -- JSON array
    specifications TEXT NOT NULL DEFAULT '{}',      -- JSON {name: value}
    metadata TEXT NOT NULL DEFAULT '{}',            -- JSON {name: value}, public
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX products_by_position ON products (position);
CREATE INDEX products_by_status ON products (status, position);

-- What is sold of a product: each has a SKU.
CREATE TABLE variants (
    id TEXT PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    sku TEXT NOT NULL UNIQUE,
    sku_generated INTEGER NOT NULL,     -- 1 when the merchant gave none
    title TEXT NOT NULL,
    option_values TEXT NOT NULL,        -- JSON array, one for each option of the product
    barcode TEXT,
    weight_grams INTEGER,
    image TEXT,
    tracked INTEGER NOT NULL,           -- 0: units are not counted, always sold
    tax_class TEXT NOT NULL DEFAULT 'standard',
    source TEXT NOT NULL DEFAULT '{}'   -- JSON {column: {given, written}}, staff's alone
);
CREATE INDEX variants_by_product ON variants (product_id, position);

-- Prices as the merchant set them, one for each currency.
CREATE TABLE prices (
    variant_id TEXT NOT NULL REFERENCES variants (id) ON DELETE CASCADE,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    compare_at_amount INTEGER,
    PRIMARY KEY (variant_id, currency)
) WITHOUT ROWID;

-- Handles that products had before: their addresses lead to what the product is called now, however often it was renamed.
-- A product that has the handle today comes first; of two that had it, the one that gave it up last.
CREATE TABLE former_handles (
    handle TEXT PRIMARY KEY,
    product_id TEXT NOT NULL REFERENCES products (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX former_handles_by_product ON former_handles (product_id);

CREATE TRIGGER product_renamed AFTER UPDATE OF handle ON products WHEN OLD.handle <> NEW.handle
BEGIN
    INSERT INTO former_handles (handle, product_id) VALUES (OLD.handle, NEW.id)
    ON CONFLICT (handle) DO UPDATE SET product_id = excluded.product_id;
    DELETE FROM former_handles WHERE handle = NEW.handle AND product_id = NEW.id;
END;

-- ---------------------------------------------------------------------------------------------------------------------
-- Payments: what is asked of providers, what they tell, and how they are.

-- The payment of an order, written with the order and before a provider is asked.
CREATE TABLE payments (
    id TEXT PRIMARY KEY,                -- also the idempotency key at the provider
    order_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,               -- preparing | open | processing | paid | failed
    attempt INTEGER NOT NULL DEFAULT 1, -- counts the keys that its session was asked for with
    session_id TEXT UNIQUE,
    url TEXT,
    request TEXT NOT NULL,              -- the exact body, the same for every retry
    expires_at INTEGER NOT NULL,
    look_at INTEGER NOT NULL DEFAULT 0, -- when the sweep next asks how a payment that is not settled stands
    captured_amount INTEGER,
    captured_currency TEXT,
    payment_ref TEXT                    -- by which the provider knows its money
);
CREATE UNIQUE INDEX payments_by_ref ON payments (payment_ref) WHERE payment_ref IS NOT NULL;
CREATE INDEX unsettled_payments ON payments (look_at) WHERE status IN ('preparing', 'open', 'processing');

-- The payment provider's events, kept before they are answered.
CREATE TABLE webhook_events (
    id TEXT PRIMARY KEY,                -- the provider's: a redelivery finds its row
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    due_at INTEGER DEFAULT 0,           -- when the sweep queues it; NULL: it is a dead letter, which waits for staff
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    processed_at INTEGER,
    outcome TEXT
);
CREATE INDEX due_webhook_events ON webhook_events (due_at) WHERE processed_at IS NULL;

-- Whether a provider is asked or left alone for a while: written when that changes, read by every isolate.
CREATE TABLE circuit_breakers (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,           -- counts changes; of two isolates that saw the same, one writes
    breaker TEXT NOT NULL,              -- JSON {state: closed | open | half_open, …}
    changed_at INTEGER NOT NULL,
    last_error TEXT
);

-- ---------------------------------------------------------------------------------------------------------------------
-- Pricing: what prices are made of beside the catalog, and what was quoted.

-- Every change is a new version of the whole; a quote names the one it was made by.
CREATE TABLE settings (
    version INTEGER PRIMARY KEY,        -- counts the changes: of two that saw the same, one is written
    document TEXT NOT NULL,             -- JSON, immutable
    created_at INTEGER NOT NULL
);
INSERT INTO settings (version, document, created_at) VALUES (1, '{"currencies":{"base":"USD","rates":[]},"markets":[],"tax_zones":[{"id":"everywhere","places":[{"country":"*"}],"rates":[{"name":"Tax","rate_ppm":80000}]}],"shipping_zones":[{"id":"everywhere","places":[{"country":"*"}],"methods":[{"id":"standard","title":"Standard","rates":[{"price":{"amount":595,"currency":"USD"}},{"price":{"amount":550,"currency":"EUR"}},{"price":{"amount":495,"currency":"GBP"}},{"price":{"amount":800,"currency":"JPY"}},{"price":{"amount":1800,"currency":"KWD"}}],"working_days":{"min":3,"max":5}},{"id":"express","title":"Express","rates":[{"price":{"amount":1995,"currency":"USD"}},{"price":{"amount":1850,"currency":"EUR"}},{"price":{"amount":1695,"currency":"GBP"}},{"price":{"amount":2800,"currency":"JPY"}},{"price":{"amount":6000,"currency":"KWD"}}],"working_days":{"min":1,"max":1}}]}],"promotions":[]}', 0);

-- Prices for a while. Bounds that are not set lie at the ends of time, so that they compare.
CREATE TABLE scheduled_prices (
    sku TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    price TEXT NOT NULL                 -- JSON
);
CREATE INDEX scheduled_prices_by_sku ON scheduled_prices (sku);

-- What a shopper was offered: an order is charged what its quote says.
CREATE TABLE quotes (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,                 -- JSON, immutable
    created_at INTEGER NOT NULL
);

-- ---------------------------------------------------------------------------------------------------------------------
-- Orders: each with its moves, its money, and what must follow.

CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,     -- drawn: lists go by the order in which rows were written
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,           -- of its holds
    cart_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    email TEXT NOT NULL,
    shipping_method TEXT NOT NULL,
    subtotal INTEGER NOT NULL,
    discount_total INTEGER NOT NULL,
    shipping_total INTEGER NOT NULL,
    tax_total INTEGER NOT NULL,
    total INTEGER NOT NULL,
    shipping_tax INTEGER NOT NULL DEFAULT 0,        -- of the tax
    tax_included INTEGER NOT NULL DEFAULT 0,        -- 1: in the prices already
    terms TEXT NOT NULL DEFAULT '{}',               -- JSON: what its quote came from
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX orders_of_cart ON orders (cart_id);
CREATE INDEX orders_with_status ON orders (status);
-- Whether an order is a customer's first that comes to something.
CREATE INDEX orders_by_email ON orders (LOWER(email));

-- What was ordered, at the price that was quoted.
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
    detail TEXT NOT NULL DEFAULT '{}',  -- JSON
    PRIMARY KEY (order_id, position)
) WITHOUT ROWID;

-- Where an order goes and who pays: a row for each, so that they can be erased.
CREATE TABLE order_addresses (
    order_id TEXT NOT NULL,
    kind TEXT NOT NULL,                 -- shipping | billing
    name TEXT NOT NULL,
    company TEXT,
    line1 TEXT NOT NULL,
    line2 TEXT,
    neighborhood TEXT,                  -- part of the town
    city TEXT NOT NULL,
    region TEXT,
    postal_code TEXT,
    country TEXT NOT NULL,              -- ISO 3166-1 alpha-2
    phone TEXT,                         -- digits, with + before a country's code
    PRIMARY KEY (order_id, kind)
) WITHOUT ROWID;

-- Every move of an order, and the guard of its writes: a batch begins by inserting the next version here, so that of two that
-- judged the same version one fails whole. Version 1 is `placed` or `refused`, and so decides a checkout.
CREATE TABLE order_events (
    order_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    happening TEXT NOT NULL,
    actor TEXT NOT NULL DEFAULT 'shop', -- shop | shopper | staff
    subject TEXT,                       -- id of the fulfilment, return or refund
    note TEXT,                          -- a person's words
    at INTEGER NOT NULL,
    PRIMARY KEY (order_id, version)
) WITHOUT ROWID;
CREATE INDEX refusals_by_time ON order_events (at) WHERE happening = 'refused';

-- What must follow a move of an order, or of a record of it; carried out until done.
CREATE TABLE outbox (
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
CREATE INDEX undone_tasks ON outbox (due_at) WHERE done_at IS NULL;

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

-- What the shop found and staff should see. What repeats within a day is one row, which counts; a closed one has no day, so that the same
-- thing, found once more, is another.
CREATE TABLE findings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    error TEXT,                         -- NULL: it is finished
    found_at INTEGER NOT NULL,
    day INTEGER,                        -- since 1970
    times INTEGER NOT NULL DEFAULT 1,
    last_at INTEGER,
    closed_at INTEGER,                  -- NULL: nobody has
    closed_by TEXT,                     -- staff | staff:NAME
    closing_note TEXT
);
CREATE UNIQUE INDEX one_finding_a_day ON findings (kind, subject, COALESCE(error, ''), day);
-- Those that are for staff: what a sweep finishes by itself is in the list alone.
CREATE INDEX findings_for_staff ON findings (id)
WHERE kind NOT IN ('stuck_checkout', 'unseen_event', 'undone_tasks', 'overdue_order', 'undelivered_event');
-- What the sweep could not finish: it is told once it was found often enough on one day.
CREATE INDEX findings_left_undone ON findings (day, kind, subject)
WHERE error IS NOT NULL AND kind IN ('unseen_event', 'undone_tasks', 'overdue_order', 'undelivered_event');

-- ---------------------------------------------------------------------------------------------------------------------
-- Customers: guesses at what is theirs.

-- Guesses at the codes of orders; those older than a quarter of an hour are taken away by later ones.
CREATE TABLE order_code_tries (
    number INTEGER NOT NULL,            -- as it was typed; there may be no such order
    network TEXT NOT NULL,              -- IPv4 address or IPv6 /64
    began_at INTEGER NOT NULL,          -- when the first was made
    tries INTEGER NOT NULL,
    PRIMARY KEY (number, network)
);
CREATE INDEX order_code_tries_by_age ON order_code_tries (began_at);

-- ---------------------------------------------------------------------------------------------------------------------
-- Messages: letters, claimed before the mail provider is asked, so that each goes out once.

-- A letter is done when it was sent. Its row is written with the note that its message was queued; a sweep queues it again until then.
CREATE TABLE mails (
    id TEXT PRIMARY KEY,                -- also the idempotency key at the mail provider
    order_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,              -- id of the refund that it is about; '': the order as a whole
    language TEXT NOT NULL DEFAULT 'en',
    claimed_at INTEGER,                 -- NULL: nobody is sending it
    due_at INTEGER,                     -- when it is queued again unless it was sent; NULL: never
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    unknown_since INTEGER,              -- since when an attempt may have sent it: providers forget keys after a day
    sent_at INTEGER,
    given_up_at INTEGER,                -- staff are told why
    UNIQUE (order_id, kind, subject)
);
CREATE INDEX due_mails ON mails (due_at) WHERE sent_at IS NULL AND due_at IS NOT NULL;

-- ---------------------------------------------------------------------------------------------------------------------
-- Inventory and carts: what their objects told. The objects alone decide.

-- What the public may know of each SKU, as its object last told; a higher version is newer. The pages read copies of it in KV.
CREATE TABLE stock_words (
    sku TEXT PRIMARY KEY,
    word TEXT NOT NULL,                 -- in_stock | low | out | preorder
    promise_at INTEGER,                 -- when ordered-ahead units are promised
    purchase_limit INTEGER,             -- most units for one customer
    version INTEGER NOT NULL,
    told_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX stock_words_by_word ON stock_words (word);

-- The last time that each cart was left alone with something in it, as its object told once. `lines` is NULL when the cart is
-- gone; such a row only outlives news that are still on their way.
CREATE TABLE abandoned_carts (
    cart_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    lines TEXT,                         -- JSON array of {sku, quantity}
    idle_since INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX carts_idle_since ON abandoned_carts (idle_since);

-- ---------------------------------------------------------------------------------------------------------------------
-- Publishing: the way from the merchant's record to what shoppers see, step by step.

-- Every publish.
CREATE TABLE publishes (
    seq INTEGER PRIMARY KEY,            -- a second publish under way fails here
    version TEXT NOT NULL,              -- names the content
    settings_version INTEGER NOT NULL DEFAULT 1,    -- whose rates it converts by
    state TEXT NOT NULL DEFAULT 'done', -- running | done | failed
    products INTEGER NOT NULL DEFAULT 0,            -- written so far
    total INTEGER NOT NULL DEFAULT 0,   -- to be written
    position INTEGER NOT NULL DEFAULT 0,            -- of the last product written
    listing INTEGER NOT NULL DEFAULT 0, -- 1: products are written, lists are next
    failures INTEGER NOT NULL DEFAULT 0,            -- in a row
    error TEXT,
    created_at INTEGER NOT NULL,
    moved_at INTEGER NOT NULL DEFAULT 0,
    retired_at INTEGER,                 -- last shown
    collected INTEGER NOT NULL DEFAULT 0            -- 1: no longer kept
);
CREATE UNIQUE INDEX one_running_publish ON publishes (state) WHERE state = 'running';

-- The publish that orders are priced from.
CREATE TABLE current_publish (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL REFERENCES publishes (seq),
    previous INTEGER,                   -- shown before it
    switched_at INTEGER NOT NULL DEFAULT 0
);

-- What was sold under a SKU from publish `seq` on; immutable. NULL: no longer sold.
CREATE TABLE listings (
    sku TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES publishes (seq),
    listing TEXT,                       -- JSON {title, variant_title, handle, tracked, prices}
    PRIMARY KEY (sku, seq)
) WITHOUT ROWID;

-- Cards of the publish under way; lists are made of them.
CREATE TABLE publish_cards (
    seq INTEGER NOT NULL REFERENCES publishes (seq),
    position INTEGER NOT NULL,
    card TEXT NOT NULL,                 -- JSON
    PRIMARY KEY (seq, position)
) WITHOUT ROWID;

-- Documents of the published copy, and the last publish that has them. One is on record before it is written to the copy, so that none is
-- left there by a publish that broke off.
CREATE TABLE documents (
    digest TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    last_seq INTEGER NOT NULL,
    written INTEGER NOT NULL DEFAULT 1  -- 0: the copy may not have it yet
) WITHOUT ROWID;
CREATE INDEX documents_by_last_seq ON documents (last_seq);

-- Keys to be deleted from the copy. None is ever written again.
CREATE TABLE condemned (key TEXT PRIMARY KEY) WITHOUT ROWID;

-- SKUs and handles that an import has met, with the line that named them first.
CREATE TABLE import_names (
    import_id TEXT NOT NULL,
    name TEXT NOT NULL,
    line INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    PRIMARY KEY (import_id, name)
) WITHOUT ROWID;
CREATE INDEX import_names_by_age ON import_names (claimed_at);

-- ---------------------------------------------------------------------------------------------------------------------
-- Settlement: money that does not come by the order's own session.

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

-- Paid sessions that name an order and are not its own: what an earlier attempt of the shop's took goes back in full, once; a stranger's is
-- told to staff and not touched.
CREATE TABLE stray_payments (
    session_id TEXT PRIMARY KEY,        -- the provider's; its journals stand under it in the ledger
    order_id TEXT NOT NULL,             -- that it names
    payment_ref TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    refund_id TEXT,                     -- also the idempotency key at the provider; NULL: a stranger's
    refund_status TEXT,                 -- pending | succeeded | failed
    version INTEGER NOT NULL,           -- of what is booked
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX stray_payments_by_ref ON stray_payments (payment_ref);

-- What the payment provider kept of each movement of its balance. A fee is booked as journal `seq` of version 0 of its order: of none of
-- the order's moves, which begin at 1.
CREATE TABLE fees (
    seq INTEGER PRIMARY KEY,
    entry_id TEXT NOT NULL UNIQUE,      -- the provider's id of the movement: its fee is booked once
    order_id TEXT NOT NULL
);

-- Movements of the balance at the payment provider, kept while their day is compared with the ledger.
CREATE TABLE balance_entries (
    id TEXT PRIMARY KEY,                -- the provider's
    payment_ref TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    fee INTEGER NOT NULL,
    currency TEXT NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX balance_entries_by_time ON balance_entries (at, payment_ref);
CREATE INDEX balance_entries_by_payment ON balance_entries (payment_ref);

-- ---------------------------------------------------------------------------------------------------------------------
-- Checkout: which cart and key an order came from, and what keeps one visitor from taking all.

-- Written with the order: what came to nothing leaves no row.
CREATE TABLE checkouts (
    order_id TEXT PRIMARY KEY,
    cart_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    quote_id TEXT NOT NULL,
    billing_address TEXT,               -- JSON
    step TEXT NOT NULL,                 -- started | placed | refused | returned
    live INTEGER NOT NULL,              -- 1 while it has the cart
    network TEXT,                       -- keyed digest, while the order is pending: a network may not hold all stock
    updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX one_order_per_key ON checkouts (cart_id, idempotency_key) WHERE step = 'placed';
CREATE UNIQUE INDEX one_pending_order_per_cart ON checkouts (cart_id) WHERE live = 1 AND step = 'placed';
CREATE INDEX pending_orders_by_network ON checkouts (network) WHERE live = 1 AND network IS NOT NULL;
CREATE INDEX undecided_checkouts ON checkouts (updated_at) WHERE step <> 'placed';

-- Orders that showed no proof, where the shop asks for one: a network places few of them in ten minutes, whatever becomes of them.
CREATE TABLE unproved_orders (
    network TEXT NOT NULL,              -- keyed digest
    placed_at INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (network, placed_at, order_id)
) WITHOUT ROWID;
CREATE INDEX unproved_orders_by_age ON unproved_orders (placed_at);

-- ---------------------------------------------------------------------------------------------------------------------
-- Aftersales: what becomes of a placed order.

-- What was shipped, and how it can be followed.
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

-- What was taken back.
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

-- Money that was or is being paid back, written before the provider is asked.
CREATE TABLE refunds (
    id TEXT PRIMARY KEY,                -- also the idempotency key at the provider
    order_id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,               -- pending | succeeded | failed
    created_at INTEGER NOT NULL
);
CREATE INDEX refunds_by_order ON refunds (order_id);

-- ---------------------------------------------------------------------------------------------------------------------
-- Operations: what keeps the shop running, and what ends when.

-- The first answers to POSTs with an Idempotency-Key, but for those whose key names the record that it makes (orders, refunds, …).
CREATE TABLE idempotency_keys (
    caller TEXT NOT NULL,               -- digest of the credentials that were shown
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    request_id TEXT NOT NULL,           -- the request that has the key
    claimed_at INTEGER NOT NULL,
    answer TEXT,                        -- JSON {status, headers, body}; NULL while under way
    PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (claimed_at);

-- Every failure of a queued message, with its time.
CREATE TABLE failures (
    id INTEGER PRIMARY KEY,
    message TEXT NOT NULL,              -- the body of what failed in a queue
    at INTEGER NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX failures_of_message ON failures (message, at);

-- Messages that failed for good, and what staff did about them.
CREATE TABLE dead_letters (
    id TEXT PRIMARY KEY,
    queue TEXT NOT NULL,                -- the dead-letter queue that it came by
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    buried_at INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'dead', -- dead | replayed | discarded
    resolved_at INTEGER,
    resolved_by TEXT,
    reason TEXT                         -- why it was discarded
);
-- A message that dies twice before staff looked is one letter.
CREATE UNIQUE INDEX one_dead_letter_per_message ON dead_letters (queue, body) WHERE status = 'dead';
CREATE INDEX dead_letters_by_time ON dead_letters (status, buried_at, id);

-- Findings are told by mail and by webhook: one row for each finding and channel.
CREATE TABLE finding_deliveries (
    finding_id INTEGER NOT NULL,
    channel TEXT NOT NULL,              -- mail | webhook
    digest INTEGER,                     -- the mail that it is told in, by the time at which that was begun
    due_at INTEGER,                     -- NULL: it has ended
    give_up_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    delivered_at INTEGER,
    failed_at INTEGER,
    PRIMARY KEY (finding_id, channel)
) WITHOUT ROWID;
CREATE INDEX finding_deliveries_by_channel ON finding_deliveries (channel, finding_id);
CREATE INDEX due_finding_deliveries ON finding_deliveries (channel, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX finding_digests ON finding_deliveries (channel, digest) WHERE digest IS NOT NULL;

-- When each scheduled job last had its turn, and how far one has come that is more than one run can do.
CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    ran_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL DEFAULT 0,
    progress TEXT                       -- JSON; NULL: it has not begun
);

-- An end for what is kept for a while: whose turn it is to be looked through, and how far each has been.
CREATE TABLE purges (
    kind TEXT PRIMARY KEY,
    turn_at INTEGER NOT NULL DEFAULT 0, -- of its last turn
    after DEFAULT 0,                    -- the rows looked at last lie behind this key,
    upto DEFAULT 0                      -- up to this one; a walk that has come to the end begins anew
) WITHOUT ROWID;
INSERT INTO purges (kind) VALUES
    ('abandoned_carts'), ('answers'), ('checkouts'), ('dead_letters'), ('events'), ('failures'), ('findings'), ('import_names'),
    ('letters'), ('order_code_tries'), ('refusals'), ('resolved_letters'), ('scheduled_prices'), ('unproved_orders'), ('unseen_events');
INSERT INTO purges (kind, after, upto) VALUES ('tasks', '', '');

-- ---------------------------------------------------------------------------------------------------------------------
-- For every batch: always empty. One that must not go ahead begins by inserting a 0, which fails it whole.

CREATE TABLE gate (open INTEGER NOT NULL CONSTRAINT gate_closed CHECK (open = 1));
