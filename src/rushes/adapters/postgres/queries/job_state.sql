SELECT status, user_id FROM public.workflow_jobs WHERE id = %(id)s
