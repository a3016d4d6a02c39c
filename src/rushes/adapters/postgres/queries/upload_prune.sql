-- Uploads that no job took within a day; a trigger sends their objects to the outbox.
DELETE FROM public.uploads
WHERE id IN (SELECT id FROM public.uploads WHERE expires_at < now() LIMIT 500 FOR UPDATE SKIP LOCKED)
RETURNING id
