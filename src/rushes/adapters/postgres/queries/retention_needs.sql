-- Kinds of jobs that are long forgotten: of types of which nothing was submitted since.
DELETE FROM public.workflow_requirements AS r
WHERE r.created_at < %(before)s AND NOT EXISTS (
    SELECT FROM public.workflow_jobs AS j WHERE j.workflow_type = r.workflow_type AND j.id >= %(first_id)s)
  AND NOT EXISTS (
    SELECT FROM public.workflow_jobs AS j
    WHERE j.status = 'pending' AND j.origin = 'rushes' AND j.requires = r.digest)
