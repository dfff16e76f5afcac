-- Guesses at the codes of orders name a network: they have an end of their own, also when nobody guesses again.

INSERT INTO purges (kind) VALUES ('order_code_tries');
