-- End a job as failed or cancelled, if its lease is still ours; what it had stored goes to the outbox.
WITH held AS (
    DELETE FROM public.workflow_job_leases
    WHERE job_id = %(job_id)s AND lease_token = %(lease_token)s
    RETURNING job_id, server_id
), ended_job AS (
    UPDATE public.workflow_jobs AS j
    SET status = %(status)s,
        error_code = %(error_code)s, error_message = %(told)s, error_details = %(error_details)s
    FROM held
    WHERE j.id = (SELECT h.job_id FROM held AS h) AND j.status = 'processing'  -- by its id, never by way of all that run
    RETURNING j.id, j.attempt, held.server_id
), ended AS (
    UPDATE public.workflow_job_attempts AS a
    SET ended_at = clock_timestamp(), outcome = %(status)s,
        error_code = %(error_code)s, error_message = %(error_message)s
    FROM ended_job AS d WHERE a.job_id = d.id AND a.number = d.attempt
), counted AS (
    UPDATE public.comfy_servers AS s
    SET jobs_failed = s.jobs_failed + 1, last_error = %(error_message)s, last_error_at = now(),
        -- a last attempt counts for the breaker like those before it
        failures = CASE WHEN %(error_code)s = 'server_lost' THEN s.failures + 1 ELSE s.failures END,
        open_until = CASE WHEN %(error_code)s = 'server_lost' THEN greatest(s.open_until, rushes.rests_until(s.failures + 1)) ELSE s.open_until END
    FROM ended_job AS d WHERE s.id = d.server_id AND %(status)s = 'failed'
), leftovers AS (
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_keys', jsonb_agg(DISTINCT e.data -> 'key')
    FROM public.workflow_job_events AS e JOIN ended_job AS d ON d.id = e.job_id
    WHERE e.kind = 'output'
    HAVING count(*) > 0
)
SELECT id FROM ended_job
