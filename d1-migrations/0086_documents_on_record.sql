-- A document is on record before it is written to the copy, so that none is left there by a publish that broke off.

ALTER TABLE documents ADD COLUMN written INTEGER NOT NULL DEFAULT 1;     -- 0: the copy may not have it yet
