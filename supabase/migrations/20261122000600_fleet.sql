-- Which server can run which job, what is loaded where, and who has to wait: the claim's knowledge of the fleet.

-- What a job needs of a server. A digest belongs to one workflow type, so that a type can be paused by it.
CREATE TABLE public.workflow_requirements (
    digest          text PRIMARY KEY,
    workflow_type   text NOT NULL,
    node_classes    text[] NOT NULL,
    models          jsonb NOT NULL DEFAULT '[]',
    -- of the model files alone; NULL: it needs none, so no server has to load anything for it
    model_set       text,
    created_at      timestamptz NOT NULL DEFAULT now()
);

-- object_info without what only an editor needs; many servers share one.
CREATE TABLE public.comfy_node_catalogs (
    digest          text PRIMARY KEY,
    nodes           jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

-- Whether a server has what is required, worked out when either of the two is new.
CREATE TABLE public.comfy_server_abilities (
    server_id       uuid NOT NULL REFERENCES public.comfy_servers (id) ON DELETE CASCADE,
    requires        text NOT NULL REFERENCES public.workflow_requirements (digest) ON DELETE CASCADE,
    able            boolean NOT NULL,
    missing         jsonb NOT NULL DEFAULT '[]',
    catalog         text NOT NULL,
    PRIMARY KEY (server_id, requires)
);
CREATE INDEX comfy_server_abilities_requires ON public.comfy_server_abilities (requires);

-- '*' pauses every type.
CREATE TABLE public.queue_pauses (
    workflow_type   text PRIMARY KEY,
    reason          text,
    paused_at       timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE public.workflow_jobs
    ADD COLUMN requires text,
    -- when a job that comes later was first preferred to it; nobody passes it for longer than a bound
    ADD COLUMN passed_over_at timestamptz,
    -- where its last attempt was lost: other servers have the first chance
    ADD COLUMN avoid_server uuid;

ALTER TABLE public.comfy_servers
    ADD COLUMN catalog text,  -- of comfy_node_catalogs
    ADD COLUMN warm_model_set text,
    -- attempts lost in a row; from the third on the breaker opens for a while, then one job is tried
    ADD COLUMN failures integer NOT NULL DEFAULT 0,
    ADD COLUMN open_until timestamptz;

CREATE INDEX workflow_jobs_claim_by_need ON public.workflow_jobs (requires, priority DESC, fair_start, id)
    WHERE status = 'pending' AND origin = 'rushes';

-- Jobs of one person that run now: kept, because counting them at each claim costs 100 times the claim.
CREATE TABLE rushes.user_running (
    user_id     uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    running     integer NOT NULL
) WITH (fillfactor = 70);

CREATE FUNCTION rushes.count_running() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status = 'processing' THEN
        INSERT INTO rushes.user_running AS u (user_id, running) VALUES (NEW.user_id, 1)
        ON CONFLICT (user_id) DO UPDATE SET running = u.running + 1;
    ELSE
        UPDATE rushes.user_running AS u SET running = greatest(0, u.running - 1) WHERE u.user_id = OLD.user_id;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION rushes.count_running() FROM PUBLIC;

CREATE TRIGGER count_running AFTER UPDATE ON public.workflow_jobs
    FOR EACH ROW WHEN (
        NEW.origin = 'rushes' AND NEW.user_id IS NOT NULL
        AND (OLD.status = 'processing') <> (NEW.status = 'processing'))
    EXECUTE FUNCTION rushes.count_running();
CREATE TRIGGER uncount_running AFTER DELETE ON public.workflow_jobs
    FOR EACH ROW WHEN (OLD.origin = 'rushes' AND OLD.user_id IS NOT NULL AND OLD.status = 'processing')
    EXECUTE FUNCTION rushes.count_running();

-- Access -------------------------------------------------------------------------------------------

REVOKE ALL ON public.workflow_requirements, public.comfy_node_catalogs, public.comfy_server_abilities,
    public.queue_pauses, rushes.user_running
FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.workflow_requirements, public.comfy_node_catalogs,
    public.comfy_server_abilities, public.queue_pauses, rushes.user_running
TO service_role;
GRANT SELECT (digest, workflow_type, node_classes, models, model_set, created_at)
    ON public.workflow_requirements TO authenticated;
GRANT SELECT (server_id, requires, able, missing, catalog) ON public.comfy_server_abilities TO authenticated;
GRANT SELECT (workflow_type, reason, paused_at) ON public.queue_pauses TO authenticated;
GRANT SELECT (catalog, warm_model_set, failures, open_until) ON public.comfy_servers TO authenticated;

DO $$
DECLARE
    ours regclass;
BEGIN
    FOREACH ours IN ARRAY ARRAY[
        'public.workflow_requirements', 'public.comfy_node_catalogs', 'public.comfy_server_abilities',
        'public.queue_pauses', 'rushes.user_running']::regclass[]
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', ours);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', ours);
        EXECUTE format('CREATE POLICY service ON %s TO service_role USING (true) WITH CHECK (true)', ours);
    END LOOP;
END
$$;
CREATE POLICY admins_see ON public.workflow_requirements FOR SELECT TO authenticated USING ((SELECT rushes.is_admin()));
CREATE POLICY admins_see ON public.comfy_server_abilities FOR SELECT TO authenticated USING ((SELECT rushes.is_admin()));
CREATE POLICY admins_see ON public.queue_pauses FOR SELECT TO authenticated USING ((SELECT rushes.is_admin()));
