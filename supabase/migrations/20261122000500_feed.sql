-- The reading side. Search, tags and "everyone" can't use their indexes under row level security (their
-- operators are not leakproof), so SECURITY DEFINER functions with the rule inside choose the ids, and the
-- caller reads the rows by id under its own policies.

-- The feed's filters; NULL is no filter.
CREATE TYPE rushes.job_filter AS (
    types           text[],
    statuses        text[],
    outputs         jsonb[],        -- one of these is contained in `outputs`
    tag             text,
    rating_min      smallint,
    job_id          text,           -- ComfyUI's prompt id, or ...
    own_id          uuid,           -- ... ours
    words           text,           -- as to_tsquery reads it
    created_after   timestamptz,    -- included
    created_before  timestamptz,    -- not included
    from_id         uuid,           -- included
    before_id       uuid,           -- not included
    trash           boolean
);

-- Whether a job passes the filter. The planner inlines it, and filters that are NULL vanish: that is why it
-- takes columns instead of a row, has no search_path of its own, and a single value is compared with "=".
CREATE FUNCTION rushes.job_matches(
    id uuid, job_id text, workflow_type text, status text, created_at timestamptz, deleted_at timestamptz,
    rating smallint, tags text[], outputs jsonb, title text, prompt_text text, f rushes.job_filter
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (CASE WHEN (f).trash THEN deleted_at IS NOT NULL ELSE deleted_at IS NULL END)
    AND ((f).types IS NULL OR CASE WHEN cardinality((f).types) = 1 THEN workflow_type = (f).types[1]
                                   ELSE workflow_type = ANY ((f).types) END)
    AND ((f).statuses IS NULL OR CASE WHEN cardinality((f).statuses) = 1 THEN status = (f).statuses[1]
                                      ELSE status = ANY ((f).statuses) END)
    AND ((f).before_id IS NULL OR id < (f).before_id)
    AND ((f).from_id IS NULL OR id >= (f).from_id)
    AND ((f).created_after IS NULL OR created_at >= (f).created_after)
    AND ((f).created_before IS NULL OR created_at < (f).created_before)
    AND ((f).rating_min IS NULL OR rating >= (f).rating_min)
    AND ((f).job_id IS NULL OR job_id = (f).job_id OR id = (f).own_id)
    AND ((f).tag IS NULL OR (tags <> '{}' AND tags @> ARRAY[(f).tag]))
    AND ((f).outputs IS NULL OR outputs @> ANY ((f).outputs))
    AND ((f).words IS NULL OR rushes.search_vector(title, prompt_text)
        @@ to_tsquery('pg_catalog.simple'::regconfig, (f).words));

-- The newest jobs that pass the filter: the caller's own, or everything the caller may see.
CREATE FUNCTION rushes.feed_rows(f rushes.job_filter, everyone boolean, most integer)
RETURNS TABLE (id uuid, workflow_type text, status text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = ''
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    me      CONSTANT uuid := auth.uid();
    member  CONSTANT boolean := rushes.is_member();
BEGIN
    IF everyone AND rushes.is_admin() THEN
        RETURN QUERY
        SELECT j.id, j.workflow_type, j.status
        FROM public.workflow_jobs AS j
        WHERE rushes.job_matches(j.id, j.job_id, j.workflow_type, j.status, j.created_at, j.deleted_at,
                                 j.rating, j.tags, j.outputs, j.title, j.prompt_text, f)
        ORDER BY j.id DESC LIMIT most;
    ELSIF everyone THEN
        -- Each branch is an index scan of its own that stops early; a row is in one of them only.
        RETURN QUERY
        SELECT seen.id, seen.workflow_type, seen.status
        FROM ((
            SELECT j.id, j.workflow_type, j.status
            FROM public.workflow_jobs AS j
            WHERE j.user_id = me
              AND rushes.job_matches(j.id, j.job_id, j.workflow_type, j.status, j.created_at, j.deleted_at,
                                     j.rating, j.tags, j.outputs, j.title, j.prompt_text, f)
            ORDER BY j.id DESC LIMIT most
        ) UNION ALL (
            SELECT j.id, j.workflow_type, j.status
            FROM public.workflow_jobs AS j
            WHERE j.visibility = 'public' AND j.deleted_at IS NULL AND j.user_id IS DISTINCT FROM me
              AND rushes.job_matches(j.id, j.job_id, j.workflow_type, j.status, j.created_at, j.deleted_at,
                                     j.rating, j.tags, j.outputs, j.title, j.prompt_text, f)
            ORDER BY j.id DESC LIMIT most
        ) UNION ALL (
            SELECT j.id, j.workflow_type, j.status
            FROM public.workflow_jobs AS j
            WHERE member AND j.visibility = 'team' AND j.deleted_at IS NULL AND j.user_id IS DISTINCT FROM me
              AND rushes.job_matches(j.id, j.job_id, j.workflow_type, j.status, j.created_at, j.deleted_at,
                                     j.rating, j.tags, j.outputs, j.title, j.prompt_text, f)
            ORDER BY j.id DESC LIMIT most
        )) AS seen
        ORDER BY seen.id DESC LIMIT most;
    ELSE
        RETURN QUERY
        SELECT j.id, j.workflow_type, j.status
        FROM public.workflow_jobs AS j
        WHERE j.user_id = me
          AND rushes.job_matches(j.id, j.job_id, j.workflow_type, j.status, j.created_at, j.deleted_at,
                                 j.rating, j.tags, j.outputs, j.title, j.prompt_text, f)
        ORDER BY j.id DESC LIMIT most;
    END IF;
END
$$;

-- The feed's card; each output file has its URL beside its key. It reads as its caller: policies and column grants hold.
CREATE VIEW rushes.job_cards WITH (security_invoker = true) AS
SELECT
    j.id, j.job_id, j.user_id, j.workflow_type, j.workflow_name, j.workflow_version, j.status, j.version,
    j.created_at, j.updated_at, j.started_at, j.completed_at, j.processing_time_seconds,
    j.inputs,
    CASE WHEN jsonb_typeof(j.outputs -> 'files') = 'array' THEN jsonb_set(j.outputs, '{files}', (
        SELECT coalesce(jsonb_agg(
            CASE WHEN file ->> 'key' IS NULL THEN file
                 ELSE file || jsonb_build_object('url', '/storage/' || (file ->> 'key')) END
            ORDER BY place), '[]')
        FROM jsonb_array_elements(j.outputs -> 'files') WITH ORDINALITY AS listed (file, place)))
    ELSE j.outputs END AS outputs,
    j.result_urls, j.prompt_text,
    j.error_code, j.error_message,
    j.priority, j.attempt, j.max_attempts, j.cancel_requested_at, j.waiting_reason, j.batch_id,
    j.deadline_at, j.available_at,
    j.visibility, j.title, j.rating, j.tags, j.parent_id, j.deleted_at, j.expires_at, j.model_used, j.origin,
    CASE WHEN j.status = 'processing' THEN (
        SELECT l.progress FROM public.workflow_job_leases AS l WHERE l.job_id = j.id) END AS progress
FROM public.workflow_jobs AS j;

-- Up to where events were pruned: a cursor from before that can't be replayed.
CREATE TABLE rushes.pruned_events (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    xid         xid8 NOT NULL DEFAULT '0'
);
INSERT INTO rushes.pruned_events DEFAULT VALUES;
ALTER TABLE rushes.pruned_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE rushes.pruned_events FORCE ROW LEVEL SECURITY;
CREATE POLICY service ON rushes.pruned_events TO service_role USING (true) WITH CHECK (true);

REVOKE ALL ON rushes.pruned_events, rushes.job_cards FROM PUBLIC, anon, authenticated;
GRANT SELECT, UPDATE ON rushes.pruned_events TO service_role;
GRANT SELECT ON rushes.job_cards TO anon, authenticated, service_role;
REVOKE ALL ON FUNCTION
    rushes.job_matches(uuid, text, text, text, timestamptz, timestamptz, smallint, text[], jsonb, text, text,
                       rushes.job_filter),
    rushes.feed_rows(rushes.job_filter, boolean, integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    rushes.job_matches(uuid, text, text, text, timestamptz, timestamptz, smallint, text[], jsonb, text, text,
                       rushes.job_filter),
    rushes.feed_rows(rushes.job_filter, boolean, integer)
    TO anon, authenticated, service_role;
