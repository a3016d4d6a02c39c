-- Take over jobs whose lease ran out, in place and with a new token: ComfyUI may still be at work on them.
WITH expired AS MATERIALIZED (
    SELECT l.job_id
    FROM public.workflow_job_leases AS l
    WHERE l.expires_at < clock_timestamp()
    ORDER BY l.expires_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE public.workflow_job_leases AS l
    SET lease_token = nextval('public.workflow_job_lease_tokens'),
        owner = %(owner)s,
        expires_at = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
    FROM expired
    WHERE l.job_id = expired.job_id
    RETURNING l.job_id, l.lease_token, l.server_id
), noted AS (
    UPDATE public.workflow_job_attempts AS a
    SET owner = %(owner)s
    FROM taken AS t
    JOIN public.workflow_jobs AS j ON j.id = t.job_id
    WHERE a.job_id = j.id AND a.number = j.attempt
)
SELECT j.id AS job_id, t.lease_token, j.workflow_type, j.workflow_name, j.user_id, j.inputs,
       j.attempt, j.max_attempts, j.job_id AS prompt_id, t.server_id, j.comfy_url AS server_url,
       j.deadline_at, j.cancel_requested_at IS NOT NULL AS cancel_requested,
       p.job_id IS NOT NULL AS graph_sent, p.client_id,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'url', a.comfy_url, 'prompt_id', a.prompt_id, 'error_code', a.error_code)), '[]')
        FROM public.workflow_job_attempts AS a
        WHERE a.job_id = j.id AND a.number < j.attempt) AS earlier
FROM taken AS t
JOIN public.workflow_jobs AS j ON j.id = t.job_id AND j.status = 'processing'
LEFT JOIN public.workflow_prompts AS p ON p.job_id = j.id AND p.attempt = j.attempt
