-- A payment whose session could not be opened in time is asked for again, under another key.

ALTER TABLE payments ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1; -- counts the keys that its session was asked for with
