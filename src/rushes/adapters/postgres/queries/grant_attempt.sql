-- One attempt more, for one whose server died while the job waited there: it can't have been the job's fault.
UPDATE public.workflow_jobs AS j
SET max_attempts = j.max_attempts + 1
FROM public.workflow_job_leases AS l
WHERE j.id = %(job_id)s AND l.job_id = j.id AND l.lease_token = %(lease_token)s AND j.status = 'processing'
RETURNING j.id
