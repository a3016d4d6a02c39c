DELETE FROM public.queue_pauses WHERE workflow_type = %(workflow_type)s RETURNING workflow_type
