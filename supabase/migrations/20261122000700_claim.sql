-- What the claim must know as it is at this moment, not as it was when its statement began: another dispatcher
-- may have claimed in between. A VOLATILE function sees what has been committed since, a subquery doesn't.

-- How many jobs a server holds. Call it while the server's row is locked.
CREATE FUNCTION rushes.jobs_on(server uuid) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
BEGIN
    RETURN (
        SELECT count(*) FROM public.workflow_job_leases AS l
        WHERE l.server_id = jobs_on.server AND l.occupies_server);
END
$$;

-- Whether one more job of that person may run; until the transaction ends nobody else can start one.
CREATE FUNCTION rushes.may_run_another(who uuid, usual_limit integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
DECLARE
    most integer := coalesce((SELECT l.jobs_running FROM public.user_limits AS l WHERE l.user_id = who), usual_limit);
    now_running integer;
BEGIN
    IF who IS NULL OR most = 2147483647 THEN
        RETURN true;
    END IF;
    SELECT u.running INTO now_running FROM rushes.user_running AS u WHERE u.user_id = who FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO rushes.user_running AS u (user_id, running) VALUES (who, 0)
        ON CONFLICT (user_id) DO UPDATE SET running = u.running
        RETURNING u.running INTO now_running;
    END IF;
    RETURN now_running < most;
END
$$;

-- Until when a server rests that has lost so many attempts in a row: from the third on, longer each time.
CREATE FUNCTION rushes.rests_until(failures integer) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN CASE WHEN failures >= 3
        THEN now() + least(interval '5 minutes', interval '5 seconds' * power(2, least(failures - 3, 8))) END;
END
$$;

REVOKE ALL ON FUNCTION
    rushes.jobs_on(uuid), rushes.may_run_another(uuid, integer), rushes.rests_until(integer)
FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION
    rushes.jobs_on(uuid), rushes.may_run_another(uuid, integer), rushes.rests_until(integer)
TO service_role;
