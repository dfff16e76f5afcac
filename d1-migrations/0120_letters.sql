-- A letter is done when it was sent. Its row is written with the note that its message was queued; a sweep queues it again until then.

ALTER TABLE mails ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
ALTER TABLE mails ADD COLUMN due_at INTEGER;        -- when it is queued again unless it was sent; NULL: never
ALTER TABLE mails ADD COLUMN unknown_since INTEGER; -- since when an attempt may have sent it: providers forget keys after a day
ALTER TABLE mails ADD COLUMN given_up_at INTEGER;   -- staff are told why
UPDATE mails SET due_at = 0 WHERE sent_at IS NULL AND kind <> 'order_link';
CREATE INDEX due_mails ON mails (due_at) WHERE sent_at IS NULL AND due_at IS NOT NULL;
