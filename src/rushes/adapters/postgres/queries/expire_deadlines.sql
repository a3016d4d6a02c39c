-- Pending jobs whose deadline has passed.
WITH late AS (
    SELECT j.id FROM public.workflow_jobs AS j
    WHERE j.status = 'pending' AND j.origin = 'rushes' AND j.deadline_at <= now()
    LIMIT 500
    FOR UPDATE SKIP LOCKED
)
UPDATE public.workflow_jobs AS j
SET status = 'failed', error_code = 'timeout',
    error_message = 'Its deadline passed while it waited. Run it again with a later deadline.'
FROM late WHERE j.id = late.id
RETURNING j.id
