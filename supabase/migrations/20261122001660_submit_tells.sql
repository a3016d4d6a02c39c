-- A submit answers with the job as its owner sees it: asking for it afterwards was a fifth of what a submit cost.

-- What a job has beyond its card, for its owner and administrators.
CREATE FUNCTION rushes.job_rest(job public.workflow_jobs) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT jsonb_build_object(
        'comfyui_output_filename', job.comfyui_output_filename,
        'comfyui_output_subfolder', job.comfyui_output_subfolder,
        'comfyui_output_type', job.comfyui_output_type,
        'comfy_url', job.comfy_url, 'error_details', job.error_details, 'metadata', job.metadata,
        'user_ip', job.user_ip, 'idempotency_key', job.idempotency_key, 'legacy_row', job.legacy_row)
$$;

CREATE OR REPLACE FUNCTION rushes.job_hidden(job uuid) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
    SELECT rushes.job_rest(j) FROM public.workflow_jobs AS j
    WHERE j.id = job AND (j.user_id = auth.uid() OR rushes.is_admin())
$$;

-- As before, and `body`.
DROP FUNCTION rushes.submit_job(jsonb, integer, integer, bigint, uuid, bigint);
CREATE FUNCTION rushes.submit_job(
    job jsonb, most_waiting integer, most_a_day integer, most_bytes bigint, day_bound uuid, booking bigint)
RETURNS TABLE (verdict text, figure bigint, used bigint, needed bigint, body jsonb)
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
    body := (SELECT to_jsonb(card) || rushes.job_rest(j)
             FROM rushes.job_cards AS card JOIN public.workflow_jobs AS j ON j.id = card.id
             WHERE card.id = wanted.id);
    RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION
    rushes.job_rest(public.workflow_jobs), rushes.submit_job(jsonb, integer, integer, bigint, uuid, bigint)
FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION
    rushes.job_rest(public.workflow_jobs), rushes.submit_job(jsonb, integer, integer, bigint, uuid, bigint)
TO service_role;
