-- Give the lease up at once; the job stays processing and another dispatcher takes it over in place.
UPDATE public.workflow_job_leases
SET expires_at = '-infinity'
WHERE job_id = %(job_id)s AND lease_token = %(lease_token)s
RETURNING job_id
