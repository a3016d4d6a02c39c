-- ComfyUI has accepted the prompt.
UPDATE public.workflow_job_attempts AS a
SET submitted_at = clock_timestamp()
FROM public.workflow_job_leases AS l
WHERE a.job_id = %(job_id)s AND a.number = %(attempt)s
  AND l.job_id = a.job_id AND l.lease_token = %(lease_token)s
RETURNING a.job_id
