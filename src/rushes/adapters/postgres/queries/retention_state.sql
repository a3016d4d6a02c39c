SELECT j.user_id, j.status, j.origin, j.deleted_at IS NOT NULL AS in_trash
FROM public.workflow_jobs AS j WHERE j.id = %(id)s
