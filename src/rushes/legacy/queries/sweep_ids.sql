-- The next jobs of an old table, by its ids.
SELECT j.legacy_id FROM public.workflow_jobs AS j
WHERE j.legacy_table = %(name)s AND (%(after)s::text IS NULL OR j.legacy_id > %(after)s)
ORDER BY j.legacy_id LIMIT %(most)s
