-- Book an object before it is written, so that whatever happens next it can be found and removed.
INSERT INTO public.workflow_job_events (job_id, kind, data)
SELECT l.job_id, 'output', jsonb_build_object('key', %(key)s::text, 'attempt', %(attempt)s::int)
FROM public.workflow_job_leases AS l
WHERE l.job_id = %(job_id)s AND l.lease_token = %(lease_token)s
RETURNING job_id
