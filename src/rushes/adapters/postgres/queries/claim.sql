-- The next job for a server, in one statement.
-- The server's row is the slot's lock: dispatchers that share a server never exceed its depth. (All statements lock
-- a running job, then the server, then the person's count; a waiting job's row is never waited for.) Each kind of job
-- that the server is able to run is probed by itself (LATERAL, so that jobs it can't run cost nothing, however many
-- wait). Of the first 32 the first one is taken, or the first one whose models are loaded: never past a more urgent
-- one, and only until whoever stands first has been passed over for as long as the bound.
WITH server AS MATERIALIZED (
    SELECT s.id, s.url, s.warm_model_set, CASE WHEN s.failures > 0 THEN 1 ELSE %(depth)s END AS depth
    FROM public.comfy_servers AS s
    WHERE s.id = %(server_id)s AND s.enabled AND NOT s.draining AND s.state <> 'down'
      AND (s.open_until IS NULL OR s.open_until <= now())
    FOR UPDATE
), held AS MATERIALIZED (
    SELECT s.id, s.url, s.warm_model_set, s.depth, rushes.jobs_on(s.id) AS jobs FROM server AS s
), free AS MATERIALIZED (
    SELECT h.id, h.url, h.warm_model_set,
           -- models are swapped for a free slot, never for a job that only waits its turn on the server
           h.jobs < %(slots)s AND (%(cold)s OR h.warm_model_set IS NULL) AS may_swap
    FROM held AS h
    WHERE h.jobs < h.depth
), able AS MATERIALIZED (
    SELECT r.digest, r.model_set, free.id AS server_id,
           r.model_set IS NULL OR r.model_set IS NOT DISTINCT FROM free.warm_model_set AS warm,
           -- jobs older than this are worth a swap: others are left to the server that has their models, for as
           -- long as loading them here would take
           CASE WHEN EXISTS (
               SELECT FROM public.comfy_servers AS s
               JOIN public.comfy_server_abilities AS b ON b.server_id = s.id AND b.requires = r.digest AND b.able
               WHERE s.warm_model_set = r.model_set AND s.id <> free.id
                 AND s.enabled AND NOT s.draining AND s.state <> 'down' AND s.failures = 0
           ) THEN now() - make_interval(
               secs => least(greatest(coalesce(r.cold_seconds - r.warm_seconds, 2), 0), %(affinity_seconds)s))
           ELSE now() END AS since
    FROM free
    JOIN public.comfy_server_abilities AS a ON a.server_id = free.id AND a.able
    JOIN public.workflow_requirements AS r ON r.digest = a.requires
    WHERE NOT EXISTS (SELECT FROM public.queue_pauses AS p WHERE p.workflow_type IN ('*', r.workflow_type))
), line AS MATERIALIZED (
    SELECT j.id, j.priority, j.fair_start, j.passed_over_at, able.model_set, able.warm,
           j.available_at <= able.since AS due
    FROM able
    CROSS JOIN LATERAL (
        SELECT p.id, p.priority, p.fair_start, p.passed_over_at, p.available_at
        FROM public.workflow_jobs AS p
        WHERE p.status = 'pending' AND p.origin = 'rushes' AND p.requires = able.digest
          AND p.available_at <= now()
          AND (p.deadline_at IS NULL OR p.deadline_at > now())
          -- where its last attempt was lost others have the first chance, if there are any
          AND CASE WHEN p.avoid_server = able.server_id AND p.available_at >= now() - interval '10 seconds' THEN NOT EXISTS (
                  SELECT FROM public.comfy_server_abilities AS b
                  JOIN public.comfy_servers AS s ON s.id = b.server_id
                  WHERE b.requires = able.digest AND b.able AND b.server_id <> able.server_id
                    AND s.enabled AND NOT s.draining AND s.state <> 'down')
              ELSE true END
          AND NOT EXISTS (
              SELECT FROM rushes.user_running AS u
              LEFT JOIN public.user_limits AS own ON own.user_id = u.user_id
              WHERE u.user_id = p.user_id AND u.running >= coalesce(own.jobs_running, %(running_limit)s))
        ORDER BY p.priority DESC, p.fair_start, p.id
        LIMIT 32
    ) AS j
    ORDER BY j.priority DESC, j.fair_start, j.id
    LIMIT 32
), head AS MATERIALIZED (
    SELECT l.id, l.priority, l.passed_over_at,
           %(affinity_seconds)s <= 0 OR coalesce(
               l.passed_over_at < now() - make_interval(secs => %(affinity_seconds)s), false) AS overdue
    FROM line AS l
    ORDER BY l.priority DESC, l.fair_start, l.id
    LIMIT 1
), next AS MATERIALIZED (
    SELECT j.id, j.user_id, l.model_set, l.warm
    FROM line AS l
    JOIN public.workflow_jobs AS j ON j.id = l.id AND j.status = 'pending'
    CROSS JOIN head AS h
    CROSS JOIN free
    WHERE (free.may_swap AND l.due) OR (l.priority = h.priority AND (l.warm OR (l.id = h.id AND h.overdue)))
    ORDER BY l.priority DESC, (l.id = h.id AND h.overdue) DESC, l.warm DESC, l.fair_start, l.id
    LIMIT 1
    FOR UPDATE OF j SKIP LOCKED
), claimed AS (
    UPDATE public.workflow_jobs AS j
    SET status = 'processing',
        attempt = j.attempt + 1,
        job_id = CASE WHEN j.attempt = 0 THEN j.id::text ELSE gen_random_uuid()::text END,
        comfy_url = free.url,
        waiting_reason = NULL,
        avoid_server = NULL
    FROM next, free
    WHERE j.id = next.id AND rushes.may_run_another(next.user_id, %(running_limit)s)
    RETURNING j.*, free.id AS server_id, next.model_set, next.warm
), first_passed AS MATERIALIZED (
    SELECT j.id
    FROM public.workflow_jobs AS j
    WHERE j.id = (
        SELECT h.id FROM head AS h JOIN claimed AS c ON c.id <> h.id AND c.priority = h.priority
        WHERE h.passed_over_at IS NULL)
      AND j.status = 'pending' AND j.passed_over_at IS NULL
    FOR UPDATE OF j SKIP LOCKED
), passed AS (
    UPDATE public.workflow_jobs AS j SET passed_over_at = now() FROM first_passed AS f WHERE j.id = f.id
), warmed AS (
    UPDATE public.comfy_servers AS s
    SET warm_model_set = c.model_set, warm_workflow = c.workflow_type
    FROM claimed AS c
    WHERE s.id = c.server_id AND c.model_set IS NOT NULL AND s.warm_model_set IS DISTINCT FROM c.model_set
), attempt AS (
    INSERT INTO public.workflow_job_attempts (job_id, number, prompt_id, server_id, comfy_url, owner)
    SELECT c.id, c.attempt, c.job_id, c.server_id, c.comfy_url, %(owner)s FROM claimed AS c
), lease AS (
    INSERT INTO public.workflow_job_leases (job_id, lease_token, owner, server_id, expires_at, cold)
    SELECT c.id, nextval('public.workflow_job_lease_tokens'), %(owner)s, c.server_id,
           clock_timestamp() + make_interval(secs => %(lease_seconds)s), NOT c.warm
    FROM claimed AS c
    RETURNING job_id, lease_token
)
SELECT c.id AS job_id, l.lease_token, c.workflow_type, c.workflow_name, c.user_id, c.inputs,
       c.attempt, c.max_attempts, c.job_id AS prompt_id, c.server_id, c.comfy_url AS server_url,
       c.deadline_at, c.cancel_requested_at IS NOT NULL AS cancel_requested, false AS graph_sent, NULL::text AS client_id,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'url', a.comfy_url, 'prompt_id', a.prompt_id, 'error_code', a.error_code)), '[]')
        FROM public.workflow_job_attempts AS a
        WHERE a.job_id = c.id AND a.number < c.attempt) AS earlier
FROM claimed AS c JOIN lease AS l ON l.job_id = c.id
