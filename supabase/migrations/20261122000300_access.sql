-- Who may see and do what. Everything is taken away first: a Supabase project may have granted it by default.
-- Each table has row level security on and forced, and a policy of its own for the service role.

REVOKE ALL ON
    public.workflow_jobs, public.workflow_job_leases, public.workflow_job_attempts, public.workflow_job_events,
    public.workflow_prompts, public.comfy_servers, public.dispatchers, public.uploads, public.caption_datasets,
    public.caption_dataset_items, public.api_keys, public.idempotency, public.user_limits, public.storage_outbox,
    rushes.fair_turns
FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON SEQUENCE
    public.workflow_job_lease_tokens, public.workflow_job_events_id_seq, public.storage_outbox_id_seq
FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON SCHEMA rushes FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA rushes FROM PUBLIC, anon, authenticated, service_role;

-- The person behind the statement -----------------------------------------------------------------

-- Never from user_metadata: people can write that themselves.
CREATE FUNCTION rushes.is_admin() RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN auth.uid() IS NOT NULL AND coalesce(auth.jwt() -> 'app_metadata' ->> 'role' = 'admin', false);
END
$$;

-- An anonymous sign-in has an account, but is nobody's colleague.
CREATE FUNCTION rushes.is_member() RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN auth.uid() IS NOT NULL AND coalesce(auth.jwt() ->> 'is_anonymous' <> 'true', true);
END
$$;

-- The columns that are granted to nobody, for the owner and administrators; NULL for everybody else.
CREATE FUNCTION rushes.job_hidden(job uuid) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
    SELECT jsonb_build_object(
        'comfy_url', j.comfy_url, 'error_details', j.error_details, 'metadata', j.metadata,
        'user_ip', j.user_ip, 'idempotency_key', j.idempotency_key, 'legacy_row', j.legacy_row)
    FROM public.workflow_jobs AS j
    WHERE j.id = job AND (j.user_id = auth.uid() OR rushes.is_admin())
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rushes FROM PUBLIC, anon, authenticated, service_role;
GRANT USAGE ON SCHEMA rushes TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION rushes.is_admin(), rushes.is_member() TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION rushes.job_hidden(uuid) TO authenticated, service_role;
-- what the triggers call as the role that updates a job
GRANT EXECUTE ON FUNCTION
    rushes.may_move(text, text), rushes.is_terminal(text), rushes.without_derived(jsonb), rushes.refuse(text, text),
    rushes.apply_cancel(timestamptz, public.workflow_jobs),
    rushes.check_identity(public.workflow_jobs, public.workflow_jobs),
    rushes.check_closed(public.workflow_jobs, public.workflow_jobs),
    rushes.check_move(public.workflow_jobs, public.workflow_jobs),
    rushes.check_content(public.workflow_jobs, public.workflow_jobs),
    rushes.stamp(public.workflow_jobs, public.workflow_jobs)
TO authenticated, service_role;
GRANT EXECUTE ON FUNCTION
    rushes.fair_clock(smallint), rushes.take_turn(uuid, smallint), rushes.advance_fair_clock(smallint, bigint)
TO service_role;

-- The service role: dispatchers, maintenance, and the API's validated writes ------------------------

GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    public.workflow_jobs, public.workflow_job_leases, public.workflow_job_attempts, public.workflow_prompts,
    public.comfy_servers, public.dispatchers, public.uploads, public.caption_datasets, public.caption_dataset_items,
    public.api_keys, public.idempotency, public.user_limits, public.storage_outbox, rushes.fair_turns
TO service_role;
-- append-only, but for pruning
GRANT SELECT, INSERT, DELETE ON public.workflow_job_events TO service_role;
GRANT USAGE, SELECT ON SEQUENCE public.workflow_job_lease_tokens TO service_role;
GRANT ALL ON ALL SEQUENCES IN SCHEMA rushes TO service_role;

-- What people see -----------------------------------------------------------------------------------

GRANT SELECT (
    id, job_id, user_id, workflow_type, workflow_name, workflow_version, status, version,
    created_at, updated_at, started_at, completed_at, processing_time_seconds,
    inputs, outputs, result_urls, prompt_text,
    comfyui_output_filename, comfyui_output_subfolder, comfyui_output_type,
    error_message, error_code,
    priority, fair_start, available_at, deadline_at, attempt, max_attempts, cancel_requested_at, waiting_reason, batch_id,
    visibility, title, rating, tags, parent_id, deleted_at, expires_at, model_used,
    origin, legacy_table, legacy_id
) ON public.workflow_jobs TO anon, authenticated;
GRANT UPDATE (title, rating, tags, visibility, cancel_requested_at, deleted_at)
    ON public.workflow_jobs TO authenticated;

-- the progress, of jobs that may be seen; never the lease itself
GRANT SELECT (job_id, progress, progress_at) ON public.workflow_job_leases TO anon, authenticated;
GRANT SELECT (job_id, number, prompt_id, server_id, comfy_url, started_at, submitted_at, ended_at, outcome, error_code, error_message)
    ON public.workflow_job_attempts TO authenticated;
GRANT SELECT (id, xid, job_id, kind, at, data) ON public.workflow_job_events TO authenticated;
GRANT SELECT (job_id, attempt, prompt_id, graph, created_at) ON public.workflow_prompts TO authenticated;
GRANT SELECT (
    id, url, name, source, enabled, draining, slots, state, last_seen_at, checked_at, version, devices, warm_workflow,
    jobs_completed, jobs_failed, last_error, last_error_at, created_at
) ON public.comfy_servers TO authenticated;
GRANT SELECT (
    id, user_id, filename, key, status, declared_type, content_type, size_bytes, sha256,
    width, height, duration_seconds, fps, created_at, expires_at
) ON public.uploads TO authenticated;
GRANT SELECT (id, job_id, user_id, visibility, name, settings, created_at, updated_at, deleted_at)
    ON public.caption_datasets TO anon, authenticated;
GRANT SELECT (id, dataset_id, position, image, caption, created_at, updated_at)
    ON public.caption_dataset_items TO anon, authenticated;
GRANT SELECT (id, user_id, name, prefix, scopes, created_at, last_used_at, expires_at, revoked_at)
    ON public.api_keys TO authenticated;
GRANT SELECT (user_id, bytes_stored, jobs_per_day, jobs_waiting, jobs_running, upload_bytes, updated_at)
    ON public.user_limits TO authenticated;

DO $$
DECLARE
    ours regclass;
BEGIN
    FOREACH ours IN ARRAY ARRAY[
        'public.workflow_jobs', 'public.workflow_job_leases', 'public.workflow_job_attempts',
        'public.workflow_job_events', 'public.workflow_prompts', 'public.comfy_servers', 'public.dispatchers',
        'public.uploads', 'public.caption_datasets', 'public.caption_dataset_items', 'public.api_keys',
        'public.idempotency', 'public.user_limits', 'public.storage_outbox', 'rushes.fair_turns']::regclass[]
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', ours);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', ours);
        EXECUTE format('CREATE POLICY service ON %s TO service_role USING (true) WITH CHECK (true)', ours);
    END LOOP;
END
$$;

-- The same rule stands in Principal.may_see. What is in the trash is the owner's and the administrators' only.
CREATE POLICY people_see ON public.workflow_jobs FOR SELECT TO authenticated USING (
    user_id = (SELECT auth.uid())
    OR (deleted_at IS NULL AND (visibility = 'public' OR (visibility = 'team' AND (SELECT rushes.is_member()))))
    OR (SELECT rushes.is_admin()));
CREATE POLICY strangers_see ON public.workflow_jobs FOR SELECT TO anon USING (
    visibility = 'public' AND deleted_at IS NULL);
CREATE POLICY owners_edit ON public.workflow_jobs FOR UPDATE TO authenticated
    USING (user_id = (SELECT auth.uid())) WITH CHECK (user_id = (SELECT auth.uid()));

-- the inner read is the person's own, under the policies above
CREATE POLICY people_see ON public.workflow_job_leases FOR SELECT TO anon, authenticated USING (
    EXISTS (SELECT FROM public.workflow_jobs AS j WHERE j.id = workflow_job_leases.job_id));

CREATE POLICY owners_see ON public.workflow_job_attempts FOR SELECT TO authenticated USING (
    (SELECT rushes.is_admin())
    OR EXISTS (SELECT FROM public.workflow_jobs AS j WHERE j.id = workflow_job_attempts.job_id AND j.user_id = (SELECT auth.uid())));
CREATE POLICY owners_see ON public.workflow_job_events FOR SELECT TO authenticated USING (
    (SELECT rushes.is_admin())
    OR EXISTS (SELECT FROM public.workflow_jobs AS j WHERE j.id = workflow_job_events.job_id AND j.user_id = (SELECT auth.uid())));
CREATE POLICY owners_see ON public.workflow_prompts FOR SELECT TO authenticated USING (
    (SELECT rushes.is_admin())
    OR EXISTS (SELECT FROM public.workflow_jobs AS j WHERE j.id = workflow_prompts.job_id AND j.user_id = (SELECT auth.uid())));

CREATE POLICY admins_see ON public.comfy_servers FOR SELECT TO authenticated USING ((SELECT rushes.is_admin()));

CREATE POLICY owners_see ON public.uploads FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY owners_see ON public.api_keys FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY owners_see ON public.user_limits FOR SELECT TO authenticated USING (
    user_id = (SELECT auth.uid()) OR (SELECT rushes.is_admin()));

CREATE POLICY people_see ON public.caption_datasets FOR SELECT TO authenticated USING (
    user_id = (SELECT auth.uid())
    OR (deleted_at IS NULL AND (visibility = 'public' OR (visibility = 'team' AND (SELECT rushes.is_member()))))
    OR (SELECT rushes.is_admin()));
CREATE POLICY strangers_see ON public.caption_datasets FOR SELECT TO anon USING (
    visibility = 'public' AND deleted_at IS NULL);
CREATE POLICY people_see ON public.caption_dataset_items FOR SELECT TO anon, authenticated USING (
    EXISTS (SELECT FROM public.caption_datasets AS d WHERE d.id = caption_dataset_items.dataset_id));

-- Supabase's Realtime, where there is one: its subscribers are under the same policies -----------------

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = 'supabase_realtime' AND NOT puballtables)
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_publication_tables
            WHERE pubname = 'supabase_realtime' AND schemaname = 'public' AND tablename = 'workflow_jobs') THEN
        ALTER PUBLICATION supabase_realtime ADD TABLE public.workflow_jobs;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'workflow_jobs was not added to the publication supabase_realtime: it has another owner.';
END
$$;
