-- The record of the catalog: what the merchant edits. Shoppers see published copies of it, never these rows.
-- Amounts are integer minor units (ISO 4217); instants are milliseconds since the Unix epoch.

CREATE TABLE products (
    id TEXT PRIMARY KEY,
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
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX products_by_status ON products (status, position);

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
    tracked INTEGER NOT NULL            -- 0: units are not counted, always sold
);
CREATE INDEX variants_by_product ON variants (product_id, position);

CREATE TABLE prices (
    variant_id TEXT NOT NULL REFERENCES variants (id) ON DELETE CASCADE,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    compare_at_amount INTEGER,
    PRIMARY KEY (variant_id, currency)
) WITHOUT ROWID;

-- Every publish, and the one that orders are priced from.
CREATE TABLE publishes (
    seq INTEGER PRIMARY KEY,            -- a second publish under way fails here
    version TEXT NOT NULL,              -- names the content
    created_at INTEGER NOT NULL
);
CREATE TABLE current_publish (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL REFERENCES publishes (seq)
);

-- What was sold under a SKU from publish `seq` on; immutable. NULL: no longer sold.
CREATE TABLE listings (
    sku TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES publishes (seq),
    listing TEXT,                       -- JSON {title, variant_title, handle, tracked, prices}
    PRIMARY KEY (sku, seq)
) WITHOUT ROWID;
