-- Back to pending for the next attempt, if the lease is still ours. A job that is to be cancelled ends here instead
-- (the trigger makes it so), and what it had stored goes to the outbox.
WITH held AS (
    DELETE FROM public.workflow_job_leases
    WHERE job_id = %(job_id)s AND lease_token = %(lease_token)s
    RETURNING job_id, server_id
), back AS (
    UPDATE public.workflow_jobs AS j
    SET status = 'pending',
        comfy_url = NULL,
        avoid_server = held.server_id,
        available_at = now() + make_interval(secs => %(delay_seconds)s),
        waiting_reason = %(told)s
    FROM held
    WHERE j.id = (SELECT h.job_id FROM held AS h) AND j.status = 'processing'  -- by its id, never by way of all that run
    RETURNING j.id, j.attempt, j.status, held.server_id
), ended AS (
    UPDATE public.workflow_job_attempts AS a
    SET ended_at = clock_timestamp(),
        outcome = CASE back.status WHEN 'cancelled' THEN 'cancelled' ELSE 'retried' END,
        error_code = %(error_code)s, error_message = %(error_message)s
    FROM back WHERE a.job_id = back.id AND a.number = back.attempt
), tripped AS (
    -- three lost attempts in a row open the breaker, longer each time; then one job is tried
    UPDATE public.comfy_servers AS s
    SET failures = s.failures + 1, open_until = greatest(s.open_until, rushes.rests_until(s.failures + 1)),
        last_error = %(error_message)s, last_error_at = now()
    FROM back WHERE s.id = back.server_id AND %(error_code)s = 'server_lost'
), leftovers AS (
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_keys', jsonb_agg(DISTINCT e.data -> 'key')
    FROM public.workflow_job_events AS e JOIN back ON back.id = e.job_id AND back.status = 'cancelled'
    WHERE e.kind = 'output'
    HAVING count(*) > 0
)
SELECT id FROM back
