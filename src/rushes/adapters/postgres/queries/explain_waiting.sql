-- Write why the next jobs in line wait, by what they require. Only the first of each kind: nobody reads the
-- reason of the 10,000th.
WITH told AS (
    SELECT t.requires, t.reason FROM unnest(%(needs)s::text[], %(reasons)s::text[]) AS t (requires, reason)
), head AS MATERIALIZED (
    SELECT j.id, told.reason
    FROM told
    CROSS JOIN LATERAL (
        SELECT p.id
        FROM public.workflow_jobs AS p
        WHERE p.status = 'pending' AND p.origin = 'rushes' AND p.requires = told.requires
          AND p.available_at <= now()
        ORDER BY p.priority DESC, p.fair_start, p.id
        LIMIT 100
    ) AS j
), changed AS (
    UPDATE public.workflow_jobs AS j
    SET waiting_reason = head.reason
    FROM head
    WHERE j.id = head.id AND j.status = 'pending' AND j.waiting_reason IS DISTINCT FROM head.reason
    RETURNING j.id, j.waiting_reason
)
INSERT INTO public.workflow_job_events (job_id, kind, data)
SELECT c.id, 'waiting', jsonb_strip_nulls(jsonb_build_object('reason', c.waiting_reason)) FROM changed AS c
RETURNING job_id
