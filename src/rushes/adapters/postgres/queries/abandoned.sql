-- A runner whose lease was lost: what it stored goes, unless the job completed with it or is still being worked on
-- (then whoever has the lease cleans up).
WITH job AS (
    SELECT j.id, j.status = 'processing' AND j.attempt = %(attempt)s AS goes_on, rushes.is_terminal(j.status) AS ended,
           coalesce(j.outputs -> 'files', '[]') AS files
    FROM public.workflow_jobs AS j WHERE j.id = %(job_id)s
), leftovers AS (
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_keys', jsonb_agg(DISTINCT e.data -> 'key')
    FROM public.workflow_job_events AS e JOIN job ON e.job_id = job.id AND job.ended
    WHERE e.kind = 'output' AND (e.data ->> 'attempt')::integer = %(attempt)s
      AND NOT job.files @> jsonb_build_array(jsonb_build_object('key', e.data -> 'key'))
    HAVING count(*) > 0
)
SELECT coalesce((SELECT NOT goes_on FROM job), true)
