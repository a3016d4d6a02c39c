-- The next job for a server. The server's row is the slot's lock: dispatchers that share a server
-- never exceed its depth, and one that finds it locked leaves the choice to the other.
WITH server AS MATERIALIZED (
    SELECT s.id, s.url
    FROM public.comfy_servers AS s
    WHERE s.id = %(server_id)s AND s.enabled AND NOT s.draining
    FOR UPDATE SKIP LOCKED
), free AS MATERIALIZED (
    SELECT s.id, s.url
    FROM server AS s
    WHERE (
        SELECT count(*) FROM public.workflow_job_leases AS l
        WHERE l.server_id = s.id AND l.occupies_server
    ) < %(depth)s
), next AS MATERIALIZED (
    SELECT j.id
    FROM public.workflow_jobs AS j
    WHERE j.status = 'pending' AND j.origin = 'rushes'
      AND EXISTS (SELECT FROM free)
      AND j.available_at <= now()
      AND (j.deadline_at IS NULL OR j.deadline_at > now())
    ORDER BY j.priority DESC, j.fair_start, j.id
    LIMIT 1
    FOR UPDATE OF j SKIP LOCKED
), claimed AS (
    UPDATE public.workflow_jobs AS j
    SET status = 'processing',
        attempt = j.attempt + 1,
        job_id = CASE WHEN j.attempt = 0 THEN j.id::text ELSE gen_random_uuid()::text END,
        comfy_url = free.url,
        waiting_reason = NULL
    FROM next, free
    WHERE j.id = next.id
    RETURNING j.*, free.id AS server_id
), attempt AS (
    INSERT INTO public.workflow_job_attempts (job_id, number, prompt_id, server_id, comfy_url, owner)
    SELECT c.id, c.attempt, c.job_id, c.server_id, c.comfy_url, %(owner)s FROM claimed AS c
), lease AS (
    INSERT INTO public.workflow_job_leases (job_id, lease_token, owner, server_id, expires_at)
    SELECT c.id, nextval('public.workflow_job_lease_tokens'), %(owner)s, c.server_id,
           clock_timestamp() + make_interval(secs => %(lease_seconds)s)
    FROM claimed AS c
    RETURNING job_id, lease_token
)
SELECT c.id AS job_id, l.lease_token, c.workflow_type, c.workflow_name, c.user_id, c.inputs,
       c.attempt, c.max_attempts, c.job_id AS prompt_id, c.server_id, c.comfy_url AS server_url,
       c.deadline_at, c.cancel_requested_at IS NOT NULL AS cancel_requested, false AS graph_sent
FROM claimed AS c JOIN lease AS l ON l.job_id = c.id
