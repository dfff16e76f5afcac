-- A finding that repeats within a day is one row, which counts. Rows of before have no day.

ALTER TABLE findings ADD COLUMN day INTEGER;                      -- since 1970
ALTER TABLE findings ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
ALTER TABLE findings ADD COLUMN last_at INTEGER;
CREATE UNIQUE INDEX one_finding_a_day ON findings (kind, subject, COALESCE(error, ''), day);
