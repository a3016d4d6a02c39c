-- The status machine, the event log, turns among users and the storage outbox, as triggers: no client,
-- not even one with SQL, can break them. Functions live in a schema that PostgREST doesn't expose; they are
-- plpgsql because that keeps its plans, and a function with a search_path of its own is never inlined.

CREATE SCHEMA rushes;

-- Turns: start-time fair queueing, a queue for each priority --------------------------------------

-- A user's latest virtual start time; the row's lock keeps two submits of one user in order.
CREATE TABLE rushes.fair_turns (
    user_id     uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    priority    smallint NOT NULL,
    last_start  bigint NOT NULL,
    PRIMARY KEY (user_id, priority)
) WITH (fillfactor = 70);

-- A queue's present: the latest virtual start time that was claimed. Sequences, because every claim moves
-- it: a row would make all dispatchers wait for each other's commits.
DO $$
BEGIN
    FOR priority IN 0..15 LOOP
        EXECUTE format('CREATE SEQUENCE rushes.fair_clock_%s AS bigint MINVALUE 0 START 0', priority);
    END LOOP;
END
$$;

CREATE FUNCTION rushes.fair_clock(priority smallint) RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$ BEGIN RETURN ('rushes.fair_clock_' || priority)::regclass; END $$;

-- One unit after the user's last job, never before the queue's present.
CREATE FUNCTION rushes.take_turn(who uuid, priority smallint) RETURNS bigint
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    present bigint := coalesce(pg_catalog.pg_sequence_last_value(rushes.fair_clock(priority)), 0);
    turn bigint;
BEGIN
    IF who IS NULL THEN
        RETURN present;
    END IF;
    INSERT INTO rushes.fair_turns AS t (user_id, priority, last_start)
    VALUES (who, take_turn.priority, present)
    ON CONFLICT ON CONSTRAINT fair_turns_pkey DO UPDATE
        SET last_start = greatest(t.last_start + 1, excluded.last_start)
    RETURNING t.last_start INTO turn;
    RETURN turn;
END
$$;

CREATE FUNCTION rushes.advance_fair_clock(priority smallint, reached bigint) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    clock regclass := rushes.fair_clock(priority);
BEGIN
    IF reached > coalesce(pg_catalog.pg_sequence_last_value(clock), -1) THEN
        PERFORM pg_catalog.setval(clock, reached);
    END IF;
END
$$;

-- Whoever cancels what he submitted by mistake doesn't queue behind it.
CREATE FUNCTION rushes.give_turn_back() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    UPDATE rushes.fair_turns AS t SET last_start = t.last_start - 1
    WHERE t.user_id = NEW.user_id AND t.priority = NEW.priority;
    RETURN NULL;
END
$$;

-- The status machine ------------------------------------------------------------------------------

CREATE FUNCTION rushes.may_move(old_status text, new_status text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
BEGIN
    RETURN CASE old_status
        WHEN 'pending' THEN new_status IN ('processing', 'cancelled', 'failed')
        WHEN 'processing' THEN new_status IN ('pending', 'completed', 'failed', 'cancelled')
        ELSE false
    END;
END
$$;

CREATE FUNCTION rushes.is_terminal(status text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$ BEGIN RETURN status IN ('completed', 'failed', 'cancelled'); END $$;

-- Outputs without the pictures that are derived from them after the job has completed.
CREATE FUNCTION rushes.without_derived(outputs jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = ''
AS $$
    SELECT CASE WHEN jsonb_typeof(outputs -> 'files') = 'array' THEN jsonb_set(outputs, '{files}', (
        SELECT coalesce(jsonb_agg(
            CASE WHEN jsonb_typeof(file) = 'object' THEN file - '{poster_key,thumb_key,thumbhash}'::text[] ELSE file END
            ORDER BY place), '[]')
        FROM jsonb_array_elements(outputs -> 'files') WITH ORDINALITY AS listed (file, place)))
    ELSE outputs END
$$;

CREATE FUNCTION rushes.refuse(message text, hint text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = message, HINT = hint;
END
$$;

CREATE FUNCTION rushes.job_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    IF NEW.status <> 'pending' OR NEW.attempt <> 0 OR NEW.outputs IS NOT NULL OR NEW.result_urls <> '[]'
        OR num_nonnulls(NEW.started_at, NEW.completed_at, NEW.processing_time_seconds, NEW.comfy_url,
            NEW.error_code, NEW.error_message, NEW.error_details, NEW.cancel_requested_at, NEW.deleted_at,
            NEW.legacy_table, NEW.legacy_id, NEW.legacy_row) > 0 THEN
        PERFORM rushes.refuse('A new job is pending, and nothing has happened to it yet.',
            'Insert it with its inputs only; what happens to it later is written by updates.');
    END IF;
    NEW.version := 1;
    NEW.updated_at := now();
    NEW.fair_start := rushes.take_turn(NEW.user_id, NEW.priority);
    RETURN NEW;
END
$$;

-- A cancel is asked for once, now; a job that isn't running is cancelled by that.
CREATE FUNCTION rushes.apply_cancel(asked timestamptz, job public.workflow_jobs) RETURNS public.workflow_jobs
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    IF job.cancel_requested_at IS DISTINCT FROM asked THEN
        IF asked IS NOT NULL THEN
            PERFORM rushes.refuse('A cancel can''t be taken back or dated anew.', 'Run the job again instead.');
        END IF;
        job.cancel_requested_at := now();
    END IF;
    IF job.cancel_requested_at IS NOT NULL AND job.status = 'pending' THEN
        job.status := 'cancelled';
    END IF;
    RETURN job;
END
$$;

-- What a job is never changes, whatever becomes of it.
CREATE FUNCTION rushes.check_identity(was public.workflow_jobs, job public.workflow_jobs) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    IF (job.id, job.origin, job.user_id, job.workflow_type, job.workflow_name, job.created_at, job.parent_id,
        job.batch_id, job.idempotency_key, job.user_ip, job.legacy_table, job.legacy_id, job.legacy_row)
        IS DISTINCT FROM
       (was.id, was.origin, was.user_id, was.workflow_type, was.workflow_name, was.created_at, was.parent_id,
        was.batch_id, was.idempotency_key, was.user_ip, was.legacy_table, was.legacy_id, was.legacy_row) THEN
        PERFORM rushes.refuse('A job''s identity, owner and workflow can''t be changed.', 'Submit a new job.');
    END IF;
END
$$;

-- The record of a finished job is closed; only how people keep it, and derived pictures, may change.
CREATE FUNCTION rushes.check_closed(was public.workflow_jobs, job public.workflow_jobs) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    IF job.status = 'completed' AND rushes.without_derived(job.outputs) = rushes.without_derived(was.outputs) THEN
        job.outputs := was.outputs;
    END IF;
    job.title := was.title;
    job.rating := was.rating;
    job.tags := was.tags;
    job.visibility := was.visibility;
    job.deleted_at := was.deleted_at;
    job.expires_at := was.expires_at;
    job.updated_at := was.updated_at;
    IF job IS DISTINCT FROM was THEN
        PERFORM rushes.refuse(format('The job is %s: nothing about its run can be changed.', was.status),
            'Run it again: that makes a new job.');
    END IF;
END
$$;

CREATE FUNCTION rushes.check_move(was public.workflow_jobs, job public.workflow_jobs) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    IF NOT rushes.may_move(was.status, job.status) THEN
        PERFORM rushes.refuse(format('A job can''t go from %s to %s.', was.status, job.status),
            'Run it again: that makes a new job.');
    ELSIF job.status = 'processing' AND job.attempt <= was.attempt THEN
        PERFORM rushes.refuse('A claim must raise the attempt.', 'Set attempt = attempt + 1.');
    ELSIF job.status = 'pending' AND was.attempt >= was.max_attempts THEN
        PERFORM rushes.refuse('No attempt is left.', 'Fail the job, or raise max_attempts.');
    ELSIF job.status = 'failed' AND job.error_code IS NULL THEN
        PERFORM rushes.refuse('A failed job says why.', 'Set error_code and error_message.');
    END IF;
END
$$;

CREATE FUNCTION rushes.check_content(was public.workflow_jobs, job public.workflow_jobs) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    IF (job.status = 'completed') <> (job.outputs IS NOT NULL)
        OR (job.status <> 'completed' AND job.result_urls <> '[]') THEN
        PERFORM rushes.refuse('A completed job has outputs, and no other job has.',
            'Write status, outputs and result_urls in one update.');
    ELSIF job.attempt < was.attempt THEN
        PERFORM rushes.refuse('The attempt only goes up.', 'Leave attempt as it is.');
    END IF;
END
$$;

CREATE FUNCTION rushes.stamp(was public.workflow_jobs, job public.workflow_jobs) RETURNS public.workflow_jobs
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    job.version := was.version;
    job.started_at := was.started_at;
    job.completed_at := was.completed_at;
    job.processing_time_seconds := was.processing_time_seconds;
    job.updated_at := now();
    IF job.status = was.status THEN
        RETURN job;
    END IF;
    job.version := was.version + 1;
    IF job.status = 'processing' THEN
        job.started_at := now();
    ELSIF job.status = 'pending' THEN
        job.started_at := NULL;
    ELSE
        job.completed_at := now();
        -- whole seconds, if it ran; a clock that was set back makes it 0, not an error
        job.processing_time_seconds := floor(extract(epoch FROM greatest(now(), job.started_at) - job.started_at));
    END IF;
    RETURN job;
END
$$;

CREATE FUNCTION rushes.job_update() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    PERFORM rushes.check_identity(OLD, NEW);
    IF NEW.deleted_at IS NOT NULL THEN
        NEW.deleted_at := coalesce(OLD.deleted_at, now());
    END IF;
    IF rushes.is_terminal(OLD.status) THEN
        PERFORM rushes.check_closed(OLD, NEW);
        NEW.updated_at := now();
        RETURN NEW;
    END IF;
    -- nobody wants what is in the trash
    IF NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN
        NEW.cancel_requested_at := coalesce(NEW.cancel_requested_at, now());
    END IF;
    NEW := rushes.apply_cancel(OLD.cancel_requested_at, NEW);
    IF NEW.status <> OLD.status THEN
        PERFORM rushes.check_move(OLD, NEW);
    END IF;
    PERFORM rushes.check_content(OLD, NEW);
    NEW := rushes.stamp(OLD, NEW);
    IF NEW.status = 'processing' AND OLD.status = 'pending' THEN
        PERFORM rushes.advance_fair_clock(NEW.priority, NEW.fair_start);
    ELSIF NEW.priority <> OLD.priority THEN
        NEW.fair_start := rushes.take_turn(NEW.user_id, NEW.priority);
    END IF;
    RETURN NEW;
END
$$;

-- Legacy rows follow their source; nobody runs them, so nobody can cancel them.
CREATE FUNCTION rushes.legacy_update() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    IF (NEW.id, NEW.origin) IS DISTINCT FROM (OLD.id, OLD.origin) THEN
        PERFORM rushes.refuse('A job''s identity can''t be changed.', 'Leave id and origin as they are.');
    ELSIF NEW.cancel_requested_at IS DISTINCT FROM OLD.cancel_requested_at THEN
        PERFORM rushes.refuse('A job taken over from the old tables can''t be cancelled.', 'Delete it instead.');
    END IF;
    IF NEW.deleted_at IS NOT NULL THEN
        NEW.deleted_at := coalesce(OLD.deleted_at, now());
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER job_insert BEFORE INSERT ON public.workflow_jobs
    FOR EACH ROW WHEN (NEW.origin = 'rushes') EXECUTE FUNCTION rushes.job_insert();
CREATE TRIGGER job_update BEFORE UPDATE ON public.workflow_jobs
    FOR EACH ROW WHEN (OLD.origin = 'rushes') EXECUTE FUNCTION rushes.job_update();
CREATE TRIGGER legacy_update BEFORE UPDATE ON public.workflow_jobs
    FOR EACH ROW WHEN (OLD.origin = 'legacy') EXECUTE FUNCTION rushes.legacy_update();
CREATE TRIGGER give_turn_back AFTER UPDATE ON public.workflow_jobs
    FOR EACH ROW WHEN (OLD.status = 'pending' AND NEW.status = 'cancelled' AND NEW.origin = 'rushes')
    EXECUTE FUNCTION rushes.give_turn_back();

-- The event log -----------------------------------------------------------------------------------

CREATE FUNCTION rushes.log_event(job uuid, kind text, data jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    INSERT INTO public.workflow_job_events (job_id, kind, data)
    VALUES (job, log_event.kind, jsonb_strip_nulls(log_event.data));
END
$$;

CREATE FUNCTION rushes.log_created() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    PERFORM rushes.log_event(NEW.id, 'created', jsonb_build_object('to', NEW.status));
    RETURN NULL;
END
$$;

CREATE FUNCTION rushes.log_run() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    IF NEW.cancel_requested_at IS DISTINCT FROM OLD.cancel_requested_at THEN
        PERFORM rushes.log_event(NEW.id, 'cancel_requested', '{}');
    END IF;
    IF NEW.status <> OLD.status THEN
        PERFORM rushes.log_event(NEW.id, 'status', jsonb_build_object('from', OLD.status, 'to', NEW.status,
            'attempt', NEW.attempt, 'error_code', NEW.error_code));
    ELSIF NEW.attempt <> OLD.attempt THEN
        PERFORM rushes.log_event(NEW.id, 'attempt', jsonb_build_object('attempt', NEW.attempt));
    END IF;
    RETURN NULL;
END
$$;

-- `was_visibility` tells the live stream who could see the job before.
CREATE FUNCTION rushes.log_edit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    moved boolean := (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL);
BEGIN
    IF moved THEN
        PERFORM rushes.log_event(NEW.id, CASE WHEN NEW.deleted_at IS NULL THEN 'restored' ELSE 'removed' END,
            jsonb_build_object('was_visibility', OLD.visibility));
    ELSE
        PERFORM rushes.log_event(NEW.id, 'edited', jsonb_build_object(
            'was_visibility', CASE WHEN NEW.visibility <> OLD.visibility THEN OLD.visibility END));
    END IF;
    RETURN NULL;
END
$$;

-- Legacy rows come by the million: they write no `created`.
CREATE TRIGGER log_created AFTER INSERT ON public.workflow_jobs
    FOR EACH ROW WHEN (NEW.origin = 'rushes') EXECUTE FUNCTION rushes.log_created();
CREATE TRIGGER log_run AFTER UPDATE ON public.workflow_jobs
    FOR EACH ROW WHEN (
        (OLD.status, OLD.attempt, OLD.cancel_requested_at)
        IS DISTINCT FROM (NEW.status, NEW.attempt, NEW.cancel_requested_at))
    EXECUTE FUNCTION rushes.log_run();
CREATE TRIGGER log_edit AFTER UPDATE ON public.workflow_jobs
    FOR EACH ROW WHEN (
        (OLD.title, OLD.rating, OLD.tags, OLD.visibility, OLD.deleted_at, OLD.expires_at, OLD.priority, OLD.deadline_at)
        IS DISTINCT FROM
        (NEW.title, NEW.rating, NEW.tags, NEW.visibility, NEW.deleted_at, NEW.expires_at, NEW.priority, NEW.deadline_at)
        OR (OLD.status = NEW.status AND (OLD.inputs, OLD.outputs, OLD.result_urls, OLD.model_used)
            IS DISTINCT FROM (NEW.inputs, NEW.outputs, NEW.result_urls, NEW.model_used)))
    EXECUTE FUNCTION rushes.log_edit();

-- The storage outbox: rows that go, by whatever way, take their files with them ----------------------

CREATE FUNCTION rushes.discard_job_files() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_prefix', to_jsonb(format('workflows/%s/%s/', g.workflow_type, g.id)) FROM gone AS g;
    RETURN NULL;
END
$$;

CREATE FUNCTION rushes.discard_upload_files() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_keys', jsonb_agg(g.key) FROM gone AS g HAVING count(*) > 0;
    RETURN NULL;
END
$$;

CREATE TRIGGER discard_job_files AFTER DELETE ON public.workflow_jobs
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION rushes.discard_job_files();
CREATE TRIGGER discard_upload_files AFTER DELETE ON public.uploads
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION rushes.discard_upload_files();
