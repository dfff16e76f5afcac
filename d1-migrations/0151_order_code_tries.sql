-- Guesses at the codes of orders; those older than a quarter of an hour are taken away by later ones.
CREATE TABLE order_code_tries (
    number INTEGER NOT NULL,            -- as it was typed; there may be no such order
    network TEXT NOT NULL,              -- IPv4 address or IPv6 /64
    began_at INTEGER NOT NULL,          -- when the first was made
    tries INTEGER NOT NULL,
    PRIMARY KEY (number, network)
);
CREATE INDEX order_code_tries_by_age ON order_code_tries (began_at);
