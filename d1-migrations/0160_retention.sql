-- An end for what is kept for a while: whose turn it is to be looked through, and how far each has been.

CREATE TABLE purges (
    kind TEXT PRIMARY KEY,
    turn_at INTEGER NOT NULL DEFAULT 0, -- of its last turn
    after DEFAULT 0,                    -- the rows looked at last lie behind this key,
    upto DEFAULT 0                      -- up to this one; a walk that has come to the end begins anew
) WITHOUT ROWID;
INSERT INTO purges (kind) VALUES
    ('abandoned_carts'), ('answers'), ('checkouts'), ('dead_letters'), ('events'), ('failures'), ('findings'), ('import_names'),
    ('letters'), ('refusals'), ('resolved_letters'), ('scheduled_prices'), ('unseen_events');
INSERT INTO purges (kind, after, upto) VALUES ('tasks', '', '');

CREATE INDEX refusals_by_time ON order_events (at) WHERE happening = 'refused';
