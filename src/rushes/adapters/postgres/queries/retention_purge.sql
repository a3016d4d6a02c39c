-- One job for good, out of the trash; only of the person, unless an administrator asks.
DELETE FROM public.workflow_jobs AS j
WHERE j.id = %(id)s AND j.deleted_at IS NOT NULL AND j.origin = 'rushes'
  AND j.status IN ('completed', 'failed', 'cancelled')
  AND (%(is_admin)s OR j.user_id = %(user_id)s)
