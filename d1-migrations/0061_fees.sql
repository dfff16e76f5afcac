-- What the payment provider kept of each movement of its balance. A fee is booked as journal `seq` of version 0 of its order: of none of
-- the order's moves, which begin at 1.

CREATE TABLE fees (
    seq INTEGER PRIMARY KEY,
    entry_id TEXT NOT NULL UNIQUE,      -- the provider's id of the movement: its fee is booked once
    order_id TEXT NOT NULL
);
