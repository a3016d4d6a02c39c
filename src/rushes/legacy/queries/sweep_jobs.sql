SELECT count(*) FROM public.workflow_jobs AS j WHERE j.legacy_table = %(name)s
