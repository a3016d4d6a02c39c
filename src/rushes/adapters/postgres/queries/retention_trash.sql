-- Jobs that have been in the trash since before a moment; one that still runs waits until it has ended.
DELETE FROM public.workflow_jobs WHERE id IN (
    SELECT j.id FROM public.workflow_jobs AS j
    WHERE j.deleted_at < %(before)s AND j.origin = 'rushes' AND j.status IN ('completed', 'failed', 'cancelled')
    ORDER BY j.deleted_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED)
