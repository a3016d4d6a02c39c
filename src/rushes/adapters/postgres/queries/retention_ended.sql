-- Jobs of one type that ended so before a moment, and that nobody has touched since. Triggers see to their files.
DELETE FROM public.workflow_jobs WHERE id IN (
    SELECT j.id FROM public.workflow_jobs AS j
    WHERE j.status = %(status)s AND j.status IN ('completed', 'failed', 'cancelled') AND j.origin = 'rushes'
      AND j.deleted_at IS NULL AND j.expires_at IS NULL
      AND j.workflow_type = %(workflow_type)s AND j.completed_at < %(before)s AND j.updated_at < %(before)s
    ORDER BY j.completed_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED)
