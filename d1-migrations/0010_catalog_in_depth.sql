-- The catalog in depth: what else a product says, publishes that go step by step, versions that are collected.

ALTER TABLE products ADD COLUMN version INTEGER NOT NULL DEFAULT 1;              -- counts its changes
ALTER TABLE products ADD COLUMN features TEXT NOT NULL DEFAULT '[]';             -- JSON array
ALTER TABLE products ADD COLUMN specifications TEXT NOT NULL DEFAULT '{}';       -- JSON {name: value}
ALTER TABLE products ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';             -- JSON {name: value}, public
CREATE INDEX products_by_position ON products (position);

ALTER TABLE variants ADD COLUMN source TEXT NOT NULL DEFAULT '{}';               -- JSON {column: {given, written}}, staff's alone

ALTER TABLE publishes ADD COLUMN state TEXT NOT NULL DEFAULT 'done';             -- running | done | failed
ALTER TABLE publishes ADD COLUMN products INTEGER NOT NULL DEFAULT 0;            -- written so far
ALTER TABLE publishes ADD COLUMN total INTEGER NOT NULL DEFAULT 0;               -- to be written
ALTER TABLE publishes ADD COLUMN position INTEGER NOT NULL DEFAULT 0;            -- of the last product written
ALTER TABLE publishes ADD COLUMN listing INTEGER NOT NULL DEFAULT 0;             -- 1: products are written, lists are next
ALTER TABLE publishes ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;            -- in a row
ALTER TABLE publishes ADD COLUMN error TEXT;
ALTER TABLE publishes ADD COLUMN moved_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE publishes ADD COLUMN retired_at INTEGER;                             -- last shown
ALTER TABLE publishes ADD COLUMN collected INTEGER NOT NULL DEFAULT 0;           -- 1: no longer kept
CREATE UNIQUE INDEX one_running_publish ON publishes (state) WHERE state = 'running';

ALTER TABLE current_publish ADD COLUMN previous INTEGER;                         -- shown before it
ALTER TABLE current_publish ADD COLUMN switched_at INTEGER NOT NULL DEFAULT 0;

-- Cards of the publish under way; lists are made of them.
CREATE TABLE publish_cards (
    seq INTEGER NOT NULL REFERENCES publishes (seq),
    position INTEGER NOT NULL,
    card TEXT NOT NULL,                 -- JSON
    PRIMARY KEY (seq, position)
) WITHOUT ROWID;

-- Documents of the published copy, and the last publish that has them.
CREATE TABLE documents (
    digest TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    last_seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX documents_by_last_seq ON documents (last_seq);

-- Keys to be deleted from the copy. None is ever written again.
CREATE TABLE condemned (key TEXT PRIMARY KEY) WITHOUT ROWID;

-- Always empty. A batch that must not go ahead begins by inserting a 0, which fails it whole.
CREATE TABLE gate (open INTEGER NOT NULL CONSTRAINT gate_closed CHECK (open = 1));

-- SKUs and handles that an import has met, with the line that named them first.
CREATE TABLE import_names (
    import_id TEXT NOT NULL,
    name TEXT NOT NULL,
    line INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    PRIMARY KEY (import_id, name)
) WITHOUT ROWID;
CREATE INDEX import_names_by_age ON import_names (claimed_at);
