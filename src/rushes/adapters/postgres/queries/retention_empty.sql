-- A batch of one person's trash for good; what still runs stays until it has ended.
DELETE FROM public.workflow_jobs WHERE id IN (
    SELECT j.id FROM public.workflow_jobs AS j
    WHERE j.user_id = %(user_id)s AND j.deleted_at IS NOT NULL AND j.origin = 'rushes'
      AND j.status IN ('completed', 'failed', 'cancelled')
    ORDER BY j.id DESC
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED)
