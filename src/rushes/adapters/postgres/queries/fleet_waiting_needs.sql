-- The kinds of jobs that wait: a probe for each kind, not a look at every waiting job.
SELECT r.digest
FROM public.workflow_requirements AS r
WHERE EXISTS (
    SELECT FROM public.workflow_jobs AS j
    WHERE j.status = 'pending' AND j.origin = 'rushes' AND j.requires = r.digest)
