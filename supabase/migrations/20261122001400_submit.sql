-- A job is taken in one statement: the person's lock, the limits, the row. Each step sees what was committed before the
-- lock was had. Nothing is written unless all is; `verdict` says what stood in the way.

-- Which limit stands in the way of another job with files of so many bytes; a NULL verdict when none does.
CREATE FUNCTION rushes.room(
    who uuid, most_waiting integer, most_a_day integer, most_bytes bigint, day_bound uuid, files bigint)
RETURNS TABLE (verdict text, figure bigint, used bigint, needed bigint)
LANGUAGE plpgsql ROWS 1 SET search_path = ''
AS $$
DECLARE
    own public.user_limits;
BEGIN
    SELECT l.* INTO own FROM public.user_limits AS l WHERE l.user_id = who;

    figure := coalesce(own.jobs_waiting, most_waiting);
    used := (SELECT count(*) FROM (
        SELECT FROM public.workflow_jobs AS j
        WHERE j.user_id = who AND j.status = 'pending' LIMIT figure) AS w);
    IF used >= figure THEN
        verdict := 'jobs_waiting';
        RETURN NEXT; RETURN;
    END IF;

    figure := coalesce(own.jobs_per_day, most_a_day);
    used := (SELECT count(*) FROM (
        SELECT FROM public.workflow_jobs AS j
        WHERE j.user_id = who AND j.id >= day_bound AND j.created_at > now() - interval '1 day'
        LIMIT figure) AS d);
    IF used >= figure THEN
        verdict := 'jobs_per_day';
        RETURN NEXT; RETURN;
    END IF;

    figure := coalesce(own.bytes_stored, most_bytes);
    used := coalesce((SELECT b.bytes FROM rushes.user_bytes AS b WHERE b.user_id = who), 0);
    needed := files;
    IF used + files > figure THEN
        verdict := 'bytes_stored';
    END IF;
    RETURN NEXT;
END
$$;

CREATE FUNCTION rushes.submit_job(
    job jsonb, most_waiting integer, most_a_day integer, most_bytes bigint, day_bound uuid, booking bigint)
RETURNS TABLE (verdict text, figure bigint, used bigint, needed bigint)
LANGUAGE plpgsql ROWS 1 SET search_path = ''
AS $$
DECLARE
    wanted public.workflow_jobs := jsonb_populate_record(NULL::public.workflow_jobs, job);
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(
        pg_catalog.hashtextextended('rushes:user:' || wanted.user_id::text, 0));
    SELECT r.verdict, r.figure, r.used, r.needed INTO verdict, figure, used, needed
    FROM rushes.room(
        wanted.user_id, most_waiting, most_a_day, most_bytes, day_bound,
        greatest(1, rushes.file_bytes(wanted.inputs))) AS r;
    IF verdict IS NOT NULL THEN
        RETURN NEXT; RETURN;
    END IF;

    -- A booked deletion of the job's folder is taken back with the row, or the files are gone already.
    IF booking IS NOT NULL THEN
        PERFORM FROM public.storage_outbox AS o WHERE o.id = booking FOR UPDATE;
        IF NOT FOUND THEN
            verdict := 'files_gone';
            RETURN NEXT; RETURN;
        END IF;
    END IF;
    -- The key leads to a job exactly when there is one.
    IF wanted.idempotency_key IS NOT NULL THEN
        UPDATE public.idempotency AS i SET job_id = wanted.id
        WHERE i.user_id = wanted.user_id AND i.key = wanted.idempotency_key AND i.job_id IS NULL;
        IF NOT FOUND THEN
            verdict := 'key_taken';
            RETURN NEXT; RETURN;
        END IF;
    END IF;
    DELETE FROM public.storage_outbox AS o WHERE o.id = booking;
    INSERT INTO public.workflow_jobs (
        id, job_id, user_id, workflow_type, workflow_name, workflow_version, inputs, prompt_text, priority,
        visibility, title, tags, deadline_at, max_attempts, metadata, parent_id, user_ip, idempotency_key, requires,
        waiting_reason)
    VALUES (
        wanted.id, wanted.id::text, wanted.user_id, wanted.workflow_type, wanted.workflow_name,
        wanted.workflow_version, wanted.inputs, wanted.prompt_text, wanted.priority, wanted.visibility, wanted.title,
        wanted.tags, wanted.deadline_at, wanted.max_attempts, wanted.metadata, wanted.parent_id, wanted.user_ip,
        wanted.idempotency_key, wanted.requires, wanted.waiting_reason);
    RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION
    rushes.room(uuid, integer, integer, bigint, uuid, bigint),
    rushes.submit_job(jsonb, integer, integer, bigint, uuid, bigint)
FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION
    rushes.room(uuid, integer, integer, bigint, uuid, bigint),
    rushes.submit_job(jsonb, integer, integer, bigint, uuid, bigint)
TO service_role;
