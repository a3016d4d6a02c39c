-- The tries, oldest first; no row where the asker is neither owner nor administrator.
SELECT coalesce((
    SELECT json_agg(tried ORDER BY tried.number)
    FROM (
        SELECT a.number, a.prompt_id, a.server_id, a.comfy_url, a.started_at, a.submitted_at, a.ended_at,
               a.outcome, a.error_code, a.error_message
        FROM public.workflow_job_attempts AS a
        WHERE a.job_id = j.id
    ) AS tried), '[]')::text AS body
FROM public.workflow_jobs AS j
WHERE j.id = %(id)s AND (j.user_id = (SELECT auth.uid()) OR (SELECT rushes.is_admin()))
