-- Staff close a finding. A closed one has no day, so that the same thing, found once more, is another.

ALTER TABLE findings ADD COLUMN closed_at INTEGER;                -- NULL: nobody has
ALTER TABLE findings ADD COLUMN closed_by TEXT;                   -- staff | staff:NAME
ALTER TABLE findings ADD COLUMN closing_note TEXT;

-- What the sweep could not finish: it is told once it was found often enough on one day.
CREATE INDEX findings_left_undone ON findings (day, kind, subject)
WHERE error IS NOT NULL AND kind IN ('unseen_event', 'undone_tasks', 'overdue_order', 'undelivered_event');
