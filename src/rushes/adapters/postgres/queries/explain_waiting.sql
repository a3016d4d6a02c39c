-- Write why the next jobs in line wait. Only the head of the queue: nobody reads the reason of the 10,000th.
WITH head AS (
    SELECT j.id FROM public.workflow_jobs AS j
    WHERE j.status = 'pending' AND j.origin = 'rushes' AND j.available_at <= now()
    ORDER BY j.priority DESC, j.fair_start, j.id
    LIMIT 200
), told AS (
    UPDATE public.workflow_jobs AS j
    SET waiting_reason = %(reason)s
    FROM head
    WHERE j.id = head.id AND j.status = 'pending' AND j.waiting_reason IS DISTINCT FROM %(reason)s
    RETURNING j.id
)
INSERT INTO public.workflow_job_events (job_id, kind, data)
SELECT told.id, 'waiting', jsonb_build_object('reason', %(reason)s::text) FROM told
RETURNING job_id
