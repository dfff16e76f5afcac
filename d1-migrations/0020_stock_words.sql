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
