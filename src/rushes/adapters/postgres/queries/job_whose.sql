SELECT user_id, visibility FROM public.workflow_jobs WHERE id = %(id)s AND deleted_at IS NULL
