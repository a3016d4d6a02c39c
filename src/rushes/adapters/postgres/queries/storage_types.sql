-- Every workflow type that has rows: a probe for each.
WITH RECURSIVE kind AS (
    (SELECT j.workflow_type FROM public.workflow_jobs AS j ORDER BY j.workflow_type LIMIT 1)
    UNION ALL
    SELECT (
        SELECT j.workflow_type FROM public.workflow_jobs AS j
        WHERE j.workflow_type > k.workflow_type ORDER BY j.workflow_type LIMIT 1)
    FROM kind AS k WHERE k.workflow_type IS NOT NULL
)
SELECT workflow_type FROM kind WHERE workflow_type IS NOT NULL
