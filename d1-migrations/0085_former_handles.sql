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
