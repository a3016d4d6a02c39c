-- The timeline, oldest first; no row where the asker is neither owner nor administrator.
SELECT coalesce((
    SELECT json_agg(happened ORDER BY happened.id)
    FROM (
        SELECT e.id, e.kind, e.at, e.data
        FROM public.workflow_job_events AS e
        WHERE e.job_id = j.id
    ) AS happened), '[]')::text AS body
FROM public.workflow_jobs AS j
WHERE j.id = %(id)s AND (j.user_id = (SELECT auth.uid()) OR (SELECT rushes.is_admin()))
