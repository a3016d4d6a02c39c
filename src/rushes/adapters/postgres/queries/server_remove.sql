-- Only one that runs nothing.
DELETE FROM public.comfy_servers AS s
WHERE s.id = %(server_id)s
  AND NOT EXISTS (SELECT FROM public.workflow_job_leases AS l WHERE l.server_id = s.id)
RETURNING s.id
