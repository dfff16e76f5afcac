-- Settings: what prices are made of beside the catalog. Every change is a new version of the whole; a quote names the one it was made by.
-- They begin with what was the same for every shop until now.

CREATE TABLE settings (
    version INTEGER PRIMARY KEY,        -- counts the changes: of two that saw the same, one is written
    document TEXT NOT NULL,             -- JSON, immutable
    created_at INTEGER NOT NULL
);
INSERT INTO settings (version, document, created_at) VALUES (1, '{"currencies":{"base":"USD","rates":[]},"markets":[],"tax_zones":[{"id":"everywhere","places":[{"country":"*"}],"rates":[{"name":"Tax","rate_ppm":80000}]}],"shipping_zones":[{"id":"everywhere","places":[{"country":"*"}],"methods":[{"id":"standard","title":"Standard","rates":[{"price":{"amount":595,"currency":"USD"}},{"price":{"amount":550,"currency":"EUR"}},{"price":{"amount":495,"currency":"GBP"}},{"price":{"amount":800,"currency":"JPY"}},{"price":{"amount":1800,"currency":"KWD"}}],"working_days":{"min":3,"max":5}},{"id":"express","title":"Express","rates":[{"price":{"amount":1995,"currency":"USD"}},{"price":{"amount":1850,"currency":"EUR"}},{"price":{"amount":1695,"currency":"GBP"}},{"price":{"amount":2800,"currency":"JPY"}},{"price":{"amount":6000,"currency":"KWD"}}],"working_days":{"min":1,"max":1}}]}],"promotions":[]}', 0);
DROP TABLE shipping_methods;
DROP TABLE tax_rate;

-- Prices for a while. Bounds that are not set lie at the ends of time, so that they compare.
CREATE TABLE scheduled_prices (
    sku TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    price TEXT NOT NULL                 -- JSON
);
CREATE INDEX scheduled_prices_by_sku ON scheduled_prices (sku);
ALTER TABLE publishes ADD COLUMN settings_version INTEGER NOT NULL DEFAULT 1; -- whose rates it converts by
ALTER TABLE variants ADD COLUMN tax_class TEXT NOT NULL DEFAULT 'standard';

-- What an order's quote came from, and whether it is a customer's first that comes to something.
ALTER TABLE orders ADD COLUMN shipping_tax INTEGER NOT NULL DEFAULT 0;        -- of the tax
ALTER TABLE orders ADD COLUMN tax_included INTEGER NOT NULL DEFAULT 0;        -- 1: in the prices already
ALTER TABLE orders ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';               -- JSON
ALTER TABLE order_lines ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';         -- JSON
CREATE INDEX orders_by_email ON orders (LOWER(email));
