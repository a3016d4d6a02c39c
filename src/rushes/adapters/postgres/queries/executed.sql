-- ComfyUI is done with it: its server may take the next job while the results are stored. What loading its models
-- cost is learned on the way, and its objects are booked before they are written; of the many runs that find them loaded a sample is enough.
WITH held AS (
    UPDATE public.workflow_job_leases
    SET occupies_server = false
    WHERE job_id = %(job_id)s AND lease_token = %(lease_token)s
    RETURNING job_id, cold
), learned AS (
    UPDATE public.workflow_requirements AS r
    SET cold_seconds = CASE WHEN h.cold THEN %(ran)s::real * 0.3 + coalesce(r.cold_seconds, %(ran)s::real) * 0.7 ELSE r.cold_seconds END,
        warm_seconds = CASE WHEN h.cold THEN r.warm_seconds ELSE %(ran)s::real * 0.3 + coalesce(r.warm_seconds, %(ran)s::real) * 0.7 END
    FROM held AS h
    JOIN public.workflow_jobs AS j ON j.id = h.job_id
    WHERE r.digest = j.requires AND r.model_set IS NOT NULL AND %(ran)s::real > 0
      AND (h.cold OR r.warm_seconds IS NULL OR random() < 0.2)
), booked AS (
    INSERT INTO public.workflow_job_events (job_id, kind, data)
    SELECT h.job_id, 'output', jsonb_build_object('key', key, 'attempt', %(attempt)s::int)
    FROM held AS h CROSS JOIN unnest(%(keys)s::text[]) AS key
)
SELECT job_id FROM held
