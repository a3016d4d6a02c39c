-- The outbox and what else is known of the storage.
SELECT json_build_object(
    'waiting', (SELECT count(*) FROM public.storage_outbox),
    'due', (SELECT count(*) FROM public.storage_outbox WHERE available_at <= now()),
    'failing', (SELECT count(*) FROM public.storage_outbox WHERE last_error IS NOT NULL),
    'oldest', (SELECT min(created_at) FROM public.storage_outbox),
    'errors', coalesce((
        SELECT json_agg(e) FROM (
            SELECT o.id, o.action, left(o.target::text, 200) AS target, o.tries, o.last_error, o.available_at
            FROM public.storage_outbox AS o WHERE o.last_error IS NOT NULL
            ORDER BY o.tries DESC, o.id LIMIT 20) AS e), '[]'),
    'lost', (SELECT count(*) FROM rushes.lost_objects),
    'retention', (SELECT row_to_json(c) FROM rushes.chores AS c WHERE c.name = 'retention')
)::text AS body
