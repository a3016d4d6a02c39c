UPDATE public.workflow_job_leases
SET progress = %(progress)s, progress_at = clock_timestamp()
WHERE job_id = %(job_id)s AND lease_token = %(lease_token)s
RETURNING job_id
