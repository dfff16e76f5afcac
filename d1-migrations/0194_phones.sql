-- What carriers ask for beside an address. NULL: nothing was typed, or the order is from before it was asked for.

ALTER TABLE order_addresses ADD COLUMN company TEXT;
ALTER TABLE order_addresses ADD COLUMN neighborhood TEXT;         -- part of the town
ALTER TABLE order_addresses ADD COLUMN phone TEXT;                -- digits, with + before a country's code
