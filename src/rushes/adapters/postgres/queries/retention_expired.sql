-- Ended jobs whose own time is up.
DELETE FROM public.workflow_jobs WHERE id IN (
    SELECT j.id FROM public.workflow_jobs AS j
    WHERE j.expires_at < %(before)s AND j.origin = 'rushes' AND j.status IN ('completed', 'failed', 'cancelled')
    ORDER BY j.expires_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED)
