-- A person's own limits (NULL: the installation's), and what is stored.
SELECT l.bytes_stored, l.jobs_per_day, l.jobs_waiting, l.jobs_running, l.upload_bytes, coalesce(b.bytes, 0) AS bytes
FROM (SELECT %(user_id)s::uuid AS id) AS one
LEFT JOIN public.user_limits AS l ON l.user_id = one.id
LEFT JOIN rushes.user_bytes AS b ON b.user_id = one.id
