-- Whether any row of that table is here already.
SELECT EXISTS (SELECT FROM public.workflow_jobs WHERE legacy_table = %(name)s)
