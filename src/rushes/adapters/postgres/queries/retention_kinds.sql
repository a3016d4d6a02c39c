-- Which types have ended jobs, by status: a probe for each, not a look at every job.
WITH RECURSIVE kind AS (
    SELECT s.status, (
        SELECT j.workflow_type FROM public.workflow_jobs AS j
        WHERE j.status = s.status AND j.status IN ('completed', 'failed', 'cancelled') AND j.origin = 'rushes'
          AND j.deleted_at IS NULL AND j.expires_at IS NULL
        ORDER BY j.workflow_type LIMIT 1) AS workflow_type
    FROM unnest(%(statuses)s::text[]) AS s (status)
    UNION ALL
    SELECT k.status, (
        SELECT j.workflow_type FROM public.workflow_jobs AS j
        WHERE j.status = k.status AND j.status IN ('completed', 'failed', 'cancelled') AND j.origin = 'rushes'
          AND j.deleted_at IS NULL AND j.expires_at IS NULL AND j.workflow_type > k.workflow_type
        ORDER BY j.workflow_type LIMIT 1)
    FROM kind AS k WHERE k.workflow_type IS NOT NULL
)
SELECT status, workflow_type FROM kind WHERE workflow_type IS NOT NULL
