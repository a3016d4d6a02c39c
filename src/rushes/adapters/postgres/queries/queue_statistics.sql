-- The last hours, in at most 48 steps: throughput, failures, waiting and run times, by type and by server.
-- Ids are UUIDv7: the bound on id finds the rows by the primary key. Only rows created in the window count.
WITH recent AS MATERIALIZED (
    SELECT j.id, j.workflow_type, j.status, j.error_code, j.created_at, j.started_at, j.completed_at, j.comfy_url,
           extract(epoch FROM j.started_at - j.created_at) AS waited,
           extract(epoch FROM j.completed_at - j.started_at) AS ran
    FROM public.workflow_jobs AS j
    WHERE j.origin = 'rushes' AND j.id >= %(from_id)s AND j.completed_at >= %(since)s
), steps AS (
    SELECT width_bucket(extract(epoch FROM r.completed_at), extract(epoch FROM %(since)s::timestamptz),
                        extract(epoch FROM now()) + 1, 48) AS step, r.status, r.waited, r.ran
    FROM recent AS r
), by_step AS (
    SELECT step,
           count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           round(percentile_cont(0.5) WITHIN GROUP (ORDER BY waited)::numeric, 2) AS waited_p50,
           round(percentile_cont(0.9) WITHIN GROUP (ORDER BY waited)::numeric, 2) AS waited_p90
    FROM steps GROUP BY step
), by_type AS (
    SELECT workflow_type,
           count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           round(percentile_cont(0.5) WITHIN GROUP (ORDER BY waited)::numeric, 2) AS waited_p50,
           round(percentile_cont(0.9) WITHIN GROUP (ORDER BY waited)::numeric, 2) AS waited_p90,
           round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ran)::numeric, 2) AS ran_p50,
           round(percentile_cont(0.9) WITHIN GROUP (ORDER BY ran)::numeric, 2) AS ran_p90
    FROM recent GROUP BY workflow_type
), by_server AS (
    SELECT a.comfy_url AS server,
           count(*) FILTER (WHERE a.outcome = 'completed') AS completed,
           count(*) FILTER (WHERE a.outcome = 'failed') AS failed,
           count(*) FILTER (WHERE a.outcome = 'retried') AS retried,
           round(percentile_cont(0.5) WITHIN GROUP (
               ORDER BY extract(epoch FROM a.ended_at - a.started_at))::numeric, 2) AS ran_p50,
           round(percentile_cont(0.9) WITHIN GROUP (
               ORDER BY extract(epoch FROM a.ended_at - a.started_at))::numeric, 2) AS ran_p90
    FROM recent AS r JOIN public.workflow_job_attempts AS a ON a.job_id = r.id AND a.ended_at IS NOT NULL
    GROUP BY a.comfy_url
), by_error AS (
    SELECT error_code, count(*) AS jobs FROM recent WHERE status = 'failed' GROUP BY error_code
)
SELECT json_build_object(
    'since', %(since)s::timestamptz,
    'step_seconds', extract(epoch FROM now() - %(since)s::timestamptz) / 48,
    'steps', coalesce((SELECT json_agg(s ORDER BY s.step) FROM by_step AS s), '[]'),
    'types', coalesce((SELECT json_agg(t ORDER BY t.workflow_type) FROM by_type AS t), '[]'),
    'servers', coalesce((SELECT json_agg(v ORDER BY v.server) FROM by_server AS v), '[]'),
    'errors', coalesce((SELECT json_agg(e ORDER BY e.jobs DESC) FROM by_error AS e), '[]')
)::text AS body
