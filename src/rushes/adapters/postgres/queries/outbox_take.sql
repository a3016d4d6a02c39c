-- Entries to work on now; the delay keeps others from taking them until this try is booked.
WITH due AS (
    SELECT o.id FROM public.storage_outbox AS o
    WHERE o.available_at <= now()
    ORDER BY o.available_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE public.storage_outbox AS o
SET available_at = now() + interval '5 minutes', tries = o.tries + 1
FROM due WHERE o.id = due.id
RETURNING o.id, o.action, o.target, o.tries
