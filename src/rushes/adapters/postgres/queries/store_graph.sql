-- Keep the exact graph before it is sent; only while the lease is held.
WITH held AS (
    SELECT l.job_id FROM public.workflow_job_leases AS l
    WHERE l.job_id = %(job_id)s AND l.lease_token = %(lease_token)s
    FOR UPDATE
), versioned AS (
    UPDATE public.workflow_jobs AS j
    SET workflow_version = %(workflow_version)s
    FROM held
    WHERE j.id = held.job_id AND j.workflow_version IS DISTINCT FROM %(workflow_version)s
)
INSERT INTO public.workflow_prompts AS p (job_id, attempt, prompt_id, graph, client_id)
SELECT held.job_id, %(attempt)s, %(prompt_id)s, %(graph)s, %(client_id)s FROM held
ON CONFLICT (job_id) DO UPDATE
SET attempt = excluded.attempt, prompt_id = excluded.prompt_id, graph = excluded.graph,
    client_id = excluded.client_id, created_at = now()
RETURNING p.job_id
