-- ComfyUI is done with it: its server may take the next job while the results are stored.
UPDATE public.workflow_job_leases
SET occupies_server = false
WHERE job_id = %(job_id)s AND lease_token = %(lease_token)s
RETURNING job_id
