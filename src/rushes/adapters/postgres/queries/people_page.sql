-- People with what they use; NULL limits are the installation's.
SELECT coalesce(json_agg(row_to_json(p) ORDER BY p.place), '[]')::text
FROM (
    SELECT p.id, p.email, p.is_anonymous, p.is_admin, p.created_at, p.disabled_at, p.last_sign_in_at,
           json_build_object(
               'bytes_stored', coalesce(b.bytes, 0), 'jobs_running', coalesce(r.running, 0),
               'jobs_waiting', w.waiting, 'jobs_per_day', d.today) AS use,
           json_build_object(
               'bytes_stored', l.bytes_stored, 'jobs_per_day', l.jobs_per_day, 'jobs_waiting', l.jobs_waiting,
               'jobs_running', l.jobs_running, 'upload_bytes', l.upload_bytes) AS limits,
           p.place
    FROM rushes.people(%(words)s, %(after)s, %(limit)s)
        WITH ORDINALITY AS p (id, email, is_anonymous, is_admin, created_at, disabled_at, last_sign_in_at, place)
    LEFT JOIN rushes.user_bytes AS b ON b.user_id = p.id
    LEFT JOIN rushes.user_running AS r ON r.user_id = p.id
    LEFT JOIN public.user_limits AS l ON l.user_id = p.id
    CROSS JOIN LATERAL (
        SELECT count(*) AS waiting FROM (
            SELECT FROM public.workflow_jobs AS j
            WHERE j.user_id = p.id AND j.status = 'pending' LIMIT 10000) AS j) AS w
    CROSS JOIN LATERAL (
        SELECT count(*) AS today FROM (
            SELECT FROM public.workflow_jobs AS j
            WHERE j.user_id = p.id AND j.id >= %(day_bound)s AND j.created_at > now() - interval '1 day'
            LIMIT 10000) AS j) AS d
) AS p
