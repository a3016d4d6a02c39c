-- What goes when its time is up, and how open pages hear of it.

-- Jobs that ended, by what the rules are about. A job with an expires_at of its own goes then, whatever they say.
CREATE INDEX workflow_jobs_ended ON public.workflow_jobs (status, workflow_type, completed_at)
    WHERE origin = 'rushes' AND status IN ('completed', 'failed', 'cancelled') AND deleted_at IS NULL
        AND expires_at IS NULL;
CREATE INDEX workflow_jobs_expiry ON public.workflow_jobs (expires_at)
    WHERE origin = 'rushes' AND expires_at IS NOT NULL;
CREATE INDEX workflow_jobs_discarded ON public.workflow_jobs (deleted_at)
    WHERE origin = 'rushes' AND deleted_at IS NOT NULL;
CREATE INDEX idempotency_age ON public.idempotency (created_at);

-- Work that is done by one process at a time: whoever holds the row's lock, and not again before a while has passed.
CREATE TABLE rushes.chores (
    name            text PRIMARY KEY,
    begun_at        timestamptz NOT NULL DEFAULT '-infinity',
    ended_at        timestamptz,
    found           jsonb NOT NULL DEFAULT '{}'
);

-- What is left of a job that is gone. The event log went with its row, and this stands in its place: it has a
-- number of the log's, and `visibility` is the widest that the log knew of.
CREATE TABLE rushes.removed_jobs (
    xid             xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id              bigint NOT NULL DEFAULT nextval('public.workflow_job_events_id_seq'),
    job_id          uuid NOT NULL,
    user_id         uuid,
    visibility      text NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (xid, id)
);
CREATE INDEX removed_jobs_age ON rushes.removed_jobs (at);

CREATE FUNCTION rushes.leave_word() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    seen_by text[];
BEGIN
    SELECT array_agg(DISTINCT e.data ->> 'was_visibility') || OLD.visibility INTO seen_by
    FROM public.workflow_job_events AS e WHERE e.job_id = OLD.id AND e.data ? 'was_visibility';
    INSERT INTO rushes.removed_jobs (job_id, user_id, visibility)
    VALUES (OLD.id, OLD.user_id,
        CASE WHEN 'public' = ANY (seen_by) THEN 'public' WHEN 'team' = ANY (seen_by) THEN 'team' ELSE OLD.visibility END);
    RETURN OLD;
END
$$;
-- before the row goes, because its events go with it
CREATE TRIGGER leave_word BEFORE DELETE ON public.workflow_jobs
    FOR EACH ROW EXECUTE FUNCTION rushes.leave_word();

-- A folder whose job ended a moment ago, or never did, is looked at again later: a runner that doesn't know yet may
-- still put something there.
CREATE OR REPLACE FUNCTION rushes.discard_job_files() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    INSERT INTO public.storage_outbox (action, target, available_at)
    SELECT 'delete_prefix', to_jsonb(format('workflows/%s/%s/', g.workflow_type, g.id)), now() + late.wait
    FROM gone AS g
    CROSS JOIN LATERAL (VALUES (interval '0'), (interval '1 hour')) AS late (wait)
    WHERE late.wait = interval '0'
        OR (g.attempt > 0 AND coalesce(g.completed_at > now() - interval '1 hour', g.origin = 'rushes'));
    RETURN NULL;
END
$$;

-- A job that ends while it waits for another attempt has nobody who clears away what the earlier ones stored.
CREATE FUNCTION rushes.discard_partial_outputs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_keys', jsonb_agg(DISTINCT e.data -> 'key')
    FROM public.workflow_job_events AS e
    WHERE e.job_id = NEW.id AND e.kind = 'output'
    HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER discard_partial_outputs AFTER UPDATE ON public.workflow_jobs
    FOR EACH ROW WHEN (
        NEW.origin = 'rushes' AND OLD.status = 'pending' AND NEW.status IN ('failed', 'cancelled') AND OLD.attempt > 0)
    EXECUTE FUNCTION rushes.discard_partial_outputs();

-- Objects that rows name and the storage doesn't have, as `rushes storage check --fix` found them.
CREATE TABLE rushes.lost_objects (
    job_id          uuid NOT NULL REFERENCES public.workflow_jobs (id) ON DELETE CASCADE,
    key             text NOT NULL,
    found_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, key)
);

-- Uploads ------------------------------------------------------------------------------------------

-- Who writes the bytes now, and until when nobody else may; he prolongs it while they come.
ALTER TABLE public.uploads
    ADD COLUMN writer uuid,
    ADD COLUMN writing_until timestamptz;

-- The same bytes count once, however many uploads have them: those that are kept elsewhere give theirs back, and
-- with the last upload of an object its size goes.
CREATE OR REPLACE FUNCTION rushes.count_upload_bytes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    PERFORM rushes.add_bytes(NEW.user_id,
        CASE WHEN NEW.object_key IS NULL THEN NEW.size_bytes ELSE 0 END
        - CASE WHEN TG_OP = 'UPDATE' AND OLD.object_key IS NULL THEN OLD.size_bytes ELSE 0 END);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION rushes.uncount_upload_bytes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    freed record;
BEGIN
    FOR freed IN
        SELECT o.user_id, sum(o.bytes)::bigint AS bytes
        FROM (
            SELECT g.user_id, max(g.size_bytes) AS bytes
            FROM gone AS g
            WHERE NOT EXISTS (
                SELECT FROM public.uploads AS u WHERE coalesce(u.object_key, u.key) = coalesce(g.object_key, g.key))
            GROUP BY g.user_id, coalesce(g.object_key, g.key)
        ) AS o
        GROUP BY o.user_id ORDER BY o.user_id
    LOOP
        PERFORM rushes.add_bytes(freed.user_id, -freed.bytes);
    END LOOP;
    RETURN NULL;
END
$$;

DROP TRIGGER recount_bytes ON public.uploads;
CREATE TRIGGER recount_bytes AFTER UPDATE ON public.uploads
    FOR EACH ROW WHEN (
        OLD.size_bytes <> NEW.size_bytes OR OLD.object_key IS DISTINCT FROM NEW.object_key)
    EXECUTE FUNCTION rushes.count_upload_bytes();

UPDATE rushes.user_bytes AS b SET bytes = greatest(0, b.bytes - twice.bytes)
FROM (
    SELECT o.user_id, sum(o.bytes)::bigint AS bytes
    FROM (
        SELECT u.user_id, sum(u.size_bytes) - max(u.size_bytes) AS bytes
        FROM public.uploads AS u GROUP BY u.user_id, coalesce(u.object_key, u.key)
    ) AS o
    GROUP BY o.user_id
) AS twice
WHERE b.user_id = twice.user_id AND twice.bytes > 0;

-- Access -------------------------------------------------------------------------------------------

REVOKE ALL ON rushes.chores, rushes.removed_jobs, rushes.lost_objects FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON rushes.chores, rushes.removed_jobs, rushes.lost_objects TO service_role;
REVOKE ALL ON FUNCTION rushes.leave_word(), rushes.discard_partial_outputs()
FROM PUBLIC, anon, authenticated, service_role;

DO $$
DECLARE
    ours regclass;
BEGIN
    FOREACH ours IN ARRAY ARRAY['rushes.chores', 'rushes.removed_jobs', 'rushes.lost_objects']::regclass[]
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', ours);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', ours);
        EXECUTE format('CREATE POLICY service ON %s TO service_role USING (true) WITH CHECK (true)', ours);
    END LOOP;
END
$$;
