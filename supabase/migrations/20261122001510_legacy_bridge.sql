-- Old and new together before anything is moved: what an old row would become, read as it stands in its table.
-- `rushes legacy bridge` makes the views rushes_legacy.bridge (every old row without a job, by the id that its job
-- will have) and public.unified_workflow_jobs; while the first stands, the feed shows both.

-- What moves a row's job will have: `submitted` is NULL where there is no such column.
CREATE FUNCTION rushes_legacy.bridge_created(created timestamptz, submitted timestamptz) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = ''
AS $$
BEGIN
    RETURN CASE WHEN isfinite(created) THEN created WHEN isfinite(submitted) THEN submitted
                ELSE timestamptz '1970-01-01 00:00:00+00' END;
END
$$;

CREATE FUNCTION rushes_legacy.bridge_id(name text, id text, created timestamptz, submitted timestamptz) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = ''
AS $$
BEGIN
    RETURN rushes_legacy.id_of(name, id, rushes_legacy.bridge_created(created, submitted));
END
$$;

-- Reading one row -----------------------------------------------------------------------------------

-- A dataset's items, from the old table.
CREATE FUNCTION rushes_legacy.bridge_items(dataset text) RETURNS rushes_legacy.item[]
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    found_items rushes_legacy.item[];
BEGIN
    IF to_regclass('public.data') IS NOT NULL THEN
        EXECUTE 'SELECT array_agg(rushes_legacy.item_of(t.id::text, to_jsonb(t), $2)) FROM public.data AS t
                 WHERE t.dataset_id = $1::uuid'
            INTO found_items USING dataset, rushes_legacy.files_of('datasets', dataset);
    END IF;
    RETURN rushes_legacy.in_order(coalesce(found_items, '{}'));
END
$$;

-- Whether another old row has the prompt id, whether it has a job already or not.
CREATE FUNCTION rushes_legacy.bridge_shared(id text, prompt_id text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    shared boolean;
BEGIN
    EXECUTE 'SELECT EXISTS (SELECT FROM public.style_transfers AS t WHERE t.comfyui_prompt_id = $2 AND t.id::text <> $1)'
        INTO shared USING id, prompt_id;
    IF NOT shared AND to_regclass('public.multitalk_jobs') IS NOT NULL THEN
        EXECUTE 'SELECT EXISTS (SELECT FROM public.multitalk_jobs AS t WHERE t.job_id = $1)' INTO shared USING prompt_id;
    END IF;
    RETURN shared;
END
$$;

-- What an old row that has no job yet will become.
CREATE FUNCTION rushes_legacy.old_job(name text, id text, content jsonb) RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' SET timezone = 'UTC'
AS $$
DECLARE
    chosen rushes_legacy.choices := (SELECT c FROM rushes_legacy.choices AS c);
    told rushes_legacy.circumstances;
    row_read CONSTANT rushes_legacy.source_row := (name, id, content);
BEGIN
    chosen.stale_before := greatest(chosen.stale_before, now() - chosen.stale_after);
    told := rushes_legacy.circumstances_of(row_read,
        CASE WHEN name = 'datasets' THEN rushes_legacy.bridge_items(id) END, chosen, true, true);
    IF name = 'style_transfers' AND content ->> 'comfyui_prompt_id' <> '' THEN
        told.shared_prompt := rushes_legacy.bridge_shared(id, content ->> 'comfyui_prompt_id');
    END IF;
    RETURN rushes_legacy.job(name, id, content, told);
END
$$;

-- Who sees what -------------------------------------------------------------------------------------

-- Administrators, and whoever is no person but the database's own or the service role.
CREATE FUNCTION rushes.sees_all() RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN rushes.is_admin() OR pg_catalog.pg_has_role(current_user, 'service_role', 'USAGE');
END
$$;

-- The feed's rule for a row by its owner and visibility; the same stands in the policy of workflow_jobs.
CREATE FUNCTION rushes.sees(owner uuid, visibility text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN coalesce(owner = auth.uid(), false) OR visibility = 'public'
        OR (visibility = 'team' AND rushes.is_member()) OR rushes.is_admin();
END
$$;

-- The feed ------------------------------------------------------------------------------------------

CREATE FUNCTION rushes_legacy.bridge_passes(m rushes_legacy.reading, f rushes.job_filter) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN ((f).types IS NULL OR m.workflow_type = ANY ((f).types))
        AND ((f).statuses IS NULL OR m.status = ANY ((f).statuses))
        AND ((f).created_after IS NULL OR m.created_at >= (f).created_after)
        AND ((f).created_before IS NULL OR m.created_at < (f).created_before)
        AND (f).rating_min IS NULL AND (f).tag IS NULL
        AND ((f).job_id IS NULL OR m.job_id = (f).job_id OR m.id = (f).own_id)
        AND ((f).outputs IS NULL OR coalesce(m.outputs @> ANY ((f).outputs), false))
        AND ((f).words IS NULL OR rushes.search_vector(NULL, m.prompt_text)
            @@ to_tsquery('pg_catalog.simple'::regconfig, (f).words));
END
$$;

-- Beside rushes.feed_rows: the newest old rows that pass the filter. What passes is found by reading, so it looks no
-- further than the newest 20,000.
CREATE FUNCTION rushes.bridge_rows(f rushes.job_filter, everyone boolean, most integer)
RETURNS TABLE (id uuid, workflow_type text, status text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = ''
AS $$
DECLARE
    old record;
    m rushes_legacy.reading;
    found_rows integer := 0;
BEGIN
    IF to_regclass('rushes_legacy.bridge') IS NULL OR (f).trash OR most < 1 THEN
        RETURN;
    ELSIF NOT (rushes.is_admin() AND everyone)
        AND NOT (everyone AND rushes.sees(NULL, (SELECT c.visibility FROM rushes_legacy.choices AS c)))
        AND NOT rushes_legacy.bridge_has_owners() THEN
        RETURN; -- nothing there is theirs to see
    END IF;
    FOR old IN EXECUTE 'SELECT b.legacy_table, b.legacy_id, b.content FROM rushes_legacy.bridge AS b
                        WHERE b.id < coalesce($1, ''ffffffff-ffff-ffff-ffff-ffffffffffff'')
                          AND b.id >= coalesce($2, ''00000000-0000-0000-0000-000000000000'')
                        ORDER BY b.id DESC LIMIT 20000' USING (f).before_id, (f).from_id
    LOOP
        m := rushes_legacy.old_job(old.legacy_table, old.legacy_id, old.content);
        IF rushes_legacy.bridge_passes(m, f)
            AND (rushes.sees(m.user_id, m.visibility) AND everyone OR coalesce(m.user_id = auth.uid(), false)) THEN
            id := m.id;
            workflow_type := m.workflow_type;
            status := m.status;
            RETURN NEXT;
            found_rows := found_rows + 1;
            EXIT WHEN found_rows >= most;
        END IF;
    END LOOP;
END
$$;

-- Whether an old row can be somebody's: by phase 1, or by the operator's map.
CREATE FUNCTION rushes_legacy.bridge_has_owners() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM rushes_legacy.owners) OR EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attname = 'user_id' AND NOT a.attisdropped
          AND a.attrelid IN (SELECT to_regclass('public.' || n) FROM unnest(rushes_legacy.names()) AS n));
END
$$;

-- What the feed's card and the detail say of an old row; NULL for whom may not see it.
CREATE FUNCTION rushes_legacy.bridge_card(m rushes_legacy.reading) RETURNS rushes.job_cards
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN jsonb_populate_record(NULL::rushes.job_cards, to_jsonb(m) || jsonb_build_object(
        'version', 1, 'priority', 5, 'attempt', 0, 'max_attempts', 3, 'tags', '{}'::text[], 'origin', 'legacy',
        'available_at', m.created_at,
        'outputs', CASE WHEN jsonb_typeof(m.outputs -> 'files') = 'array' THEN jsonb_set(m.outputs, '{files}', (
            SELECT coalesce(jsonb_agg(
                CASE WHEN file ->> 'key' IS NULL THEN file
                     ELSE file || jsonb_build_object('url', '/storage/' || (file ->> 'key')) END
                ORDER BY place), '[]')
            FROM jsonb_array_elements(m.outputs -> 'files') WITH ORDINALITY AS listed (file, place)))
        ELSE m.outputs END));
END
$$;

CREATE FUNCTION rushes.bridge_cards(ids uuid[]) RETURNS TABLE (id uuid, card json)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = ''
AS $$
DECLARE
    old record;
    m rushes_legacy.reading;
BEGIN
    IF to_regclass('rushes_legacy.bridge') IS NULL OR cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    FOR old IN EXECUTE 'SELECT b.* FROM rushes_legacy.bridge AS b WHERE b.id = ANY ($1)' USING ids LOOP
        m := rushes_legacy.old_job(old.legacy_table, old.legacy_id, old.content);
        IF rushes.sees(m.user_id, m.visibility) THEN
            id := m.id;
            card := to_json(rushes_legacy.bridge_card(m));
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;

-- The detail; with what only the owner and administrators may know, for those.
CREATE FUNCTION rushes.bridge_one(job uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    old record;
    m rushes_legacy.reading;
BEGIN
    IF to_regclass('rushes_legacy.bridge') IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE 'SELECT b.* FROM rushes_legacy.bridge AS b WHERE b.id = $1' INTO old USING job;
    m := rushes_legacy.old_job(old.legacy_table, old.legacy_id, old.content);
    IF old.legacy_id IS NULL OR NOT rushes.sees(m.user_id, m.visibility) THEN
        RETURN NULL;
    END IF;
    RETURN to_jsonb(rushes_legacy.bridge_card(m)) || jsonb_build_object(
        'comfyui_output_filename', m.comfyui_output_filename, 'comfyui_output_subfolder', m.comfyui_output_subfolder,
        'comfyui_output_type', m.comfyui_output_type)
    || CASE WHEN rushes.is_admin() OR m.user_id = auth.uid() THEN jsonb_build_object(
        'comfy_url', m.comfy_url, 'error_details', NULL, 'metadata', m.metadata, 'user_ip', m.user_ip,
        'idempotency_key', NULL, 'legacy_row', old.content) ELSE '{}' END;
END
$$;

-- Up and down -----------------------------------------------------------------------------------------

-- The tables that have rows of their own, and the column that stands in for created_at.
CREATE FUNCTION rushes_legacy.bridge_tables() RETURNS TABLE (name text, key text, created text, submitted text)
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT n.name, rushes_legacy.key_column(n.name),
           CASE WHEN bool_or(a.attname = 'created_at') THEN 't.created_at' ELSE 'NULL::timestamptz' END,
           CASE WHEN bool_or(a.attname = 'timestamp_submitted') THEN 't.timestamp_submitted' ELSE 'NULL::timestamptz' END
    FROM unnest(rushes_legacy.standing('r')) WITH ORDINALITY AS n (name, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = to_regclass('public.' || n.name) AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.name <> 'data'
    GROUP BY n.name, n.place ORDER BY n.place
$$;

-- What the two views need: the order of each old table, and of the jobs.
CREATE FUNCTION rushes_legacy.bridge_indexes() RETURNS TABLE (name text, statement text)
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT format('legacy_bridge_%s_%s', t.name, w.what),
           format('CREATE INDEX CONCURRENTLY IF NOT EXISTS %I ON public.%I ((%s))', format('legacy_bridge_%s_%s', t.name, w.what),
                  t.name, replace(w.expression, 't.', ''))
    FROM rushes_legacy.bridge_tables() AS t, LATERAL (VALUES
        ('id', format('rushes_legacy.bridge_id(%L, (t.%I)::text, %s, %s)', t.name, t.key, t.created, t.submitted)),
        ('created', format('rushes_legacy.bridge_created(%s, %s)', t.created, t.submitted))) AS w (what, expression)
    UNION ALL
    SELECT 'legacy_bridge_prompts', 'CREATE INDEX CONCURRENTLY IF NOT EXISTS legacy_bridge_prompts ON public.style_transfers (comfyui_prompt_id)'
    WHERE 'style_transfers' = ANY (rushes_legacy.standing('r'))
    UNION ALL
    SELECT 'legacy_bridge_jobs', 'CREATE INDEX CONCURRENTLY IF NOT EXISTS legacy_bridge_jobs ON public.workflow_jobs (created_at)'
$$;

-- Each part is in order, so that a page is merged from them, and nothing more is read.
CREATE FUNCTION rushes_legacy.bridge_text() RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT 'CREATE VIEW rushes_legacy.bridge AS ' || string_agg(format($part$
        (SELECT rushes_legacy.bridge_id(%1$L, (t.%2$I)::text, %3$s, %4$s) AS id, %1$L::text AS legacy_table,
                t.%2$I::text AS legacy_id, to_jsonb(t) AS content
         FROM public.%1$I AS t
         WHERE NOT EXISTS (SELECT FROM public.workflow_jobs AS j WHERE j.legacy_table = %1$L AND j.legacy_id = t.%2$I::text)
         ORDER BY rushes_legacy.bridge_id(%1$L, (t.%2$I)::text, %3$s, %4$s) DESC)
    $part$, t.name, t.key, t.created, t.submitted), ' UNION ALL ')
    FROM rushes_legacy.bridge_tables() AS t
$$;

CREATE FUNCTION rushes_legacy.unified_text() RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT $jobs$CREATE VIEW public.unified_workflow_jobs WITH (security_barrier = true) AS
        (SELECT j.created_at, j.id, j.job_id, j.user_id, j.workflow_type, j.workflow_name, j.status, j.updated_at,
                j.started_at, j.completed_at, j.processing_time_seconds, j.inputs, j.outputs, j.result_urls, j.prompt_text,
                CASE WHEN s.near THEN j.comfy_url END AS comfy_url, j.comfyui_output_filename, j.comfyui_output_subfolder,
                j.comfyui_output_type, j.error_message, j.error_code, j.model_used,
                CASE WHEN s.near THEN j.user_ip END AS user_ip, CASE WHEN s.near THEN j.metadata END AS metadata,
                j.visibility, j.title, j.rating, j.tags, j.parent_id, j.origin, 'workflow_jobs'::text AS source_table,
                j.legacy_table, j.legacy_id, CASE WHEN s.near THEN j.legacy_row END AS legacy_row
         FROM public.workflow_jobs AS j
         CROSS JOIN LATERAL (SELECT (SELECT rushes.sees_all()) OR coalesce(j.user_id = (SELECT auth.uid()), false) AS near) AS s
         WHERE j.deleted_at IS NULL
           AND (s.near OR j.visibility = 'public' OR (j.visibility = 'team' AND (SELECT rushes.is_member())))
         ORDER BY j.created_at DESC)$jobs$
    || coalesce(string_agg(format($part$ UNION ALL
        (SELECT o.at, (o.m).id, (o.m).job_id, (o.m).user_id, (o.m).workflow_type, (o.m).workflow_name, (o.m).status,
                (o.m).updated_at, NULL::timestamptz, (o.m).completed_at, (o.m).processing_time_seconds, (o.m).inputs,
                (o.m).outputs, (o.m).result_urls, (o.m).prompt_text,
                CASE WHEN s.near THEN (o.m).comfy_url END, (o.m).comfyui_output_filename, (o.m).comfyui_output_subfolder,
                (o.m).comfyui_output_type, (o.m).error_message, (o.m).error_code, (o.m).model_used,
                CASE WHEN s.near THEN (o.m).user_ip END, CASE WHEN s.near THEN (o.m).metadata END,
                (o.m).visibility, NULL::text, NULL::smallint, '{}'::text[], NULL::uuid, 'legacy'::text, %1$L::text,
                %1$L::text, (o.m).legacy_id, CASE WHEN s.near THEN o.content END
         -- in order first, then read: what no page asks for stays unread
         FROM (SELECT i.at, i.content, rushes_legacy.old_job(%1$L, i.id, i.content) AS m
               FROM (SELECT rushes_legacy.bridge_created(%3$s, %4$s) AS at, t.%2$I::text AS id, to_jsonb(t) AS content
                     FROM public.%1$I AS t
                     WHERE NOT EXISTS (SELECT FROM public.workflow_jobs AS j
                                       WHERE j.legacy_table = %1$L AND j.legacy_id = t.%2$I::text)
                       AND ((SELECT rushes.sees_all()) OR (SELECT rushes_legacy.bridge_open()))
                     ORDER BY rushes_legacy.bridge_created(%3$s, %4$s) DESC OFFSET 0) AS i
               ORDER BY i.at DESC OFFSET 0) AS o
         CROSS JOIN LATERAL (SELECT (SELECT rushes.sees_all()) OR coalesce((o.m).user_id = (SELECT auth.uid()), false) AS near) AS s
         WHERE s.near OR rushes.sees((o.m).user_id, (o.m).visibility)
         ORDER BY o.at DESC)
    $part$, t.name, t.key, t.created, t.submitted), ''), '')
    FROM rushes_legacy.bridge_tables() AS t
$$;

-- Whether anybody but administrators can see an old row at all.
CREATE FUNCTION rushes_legacy.bridge_open() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    RETURN rushes_legacy.bridge_has_owners() OR EXISTS (
        SELECT FROM rushes_legacy.choices AS c WHERE c.visibility = 'public' OR (c.visibility = 'team' AND rushes.is_member()));
END
$$;

CREATE FUNCTION rushes_legacy.unify() RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    DROP VIEW IF EXISTS public.unified_workflow_jobs;
    EXECUTE rushes_legacy.unified_text();
    COMMENT ON VIEW public.unified_workflow_jobs IS
        'Every job, old and new, as the feed shows them to whoever asks. Made by rushes legacy bridge.';
    REVOKE ALL ON public.unified_workflow_jobs FROM PUBLIC, anon, authenticated, service_role;
    GRANT SELECT ON public.unified_workflow_jobs TO anon, authenticated, service_role;
    GRANT EXECUTE ON FUNCTION rushes_legacy.old_job(text, text, jsonb), rushes_legacy.bridge_open(),
        rushes_legacy.bridge_created(timestamptz, timestamptz) TO anon, authenticated, service_role;
    NOTIFY pgrst, 'reload schema';
END
$$;

CREATE FUNCTION rushes_legacy.bridge_up() RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    DROP VIEW IF EXISTS rushes_legacy.bridge;
    EXECUTE rushes_legacy.bridge_text();
    REVOKE ALL ON rushes_legacy.bridge FROM PUBLIC, anon, authenticated, service_role;
    PERFORM rushes_legacy.unify();
END
$$;

CREATE FUNCTION rushes_legacy.bridge_down() RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    DROP VIEW IF EXISTS public.unified_workflow_jobs, rushes_legacy.bridge;
    NOTIFY pgrst, 'reload schema';
END
$$;

-- After the cut-over every row has its job: the bridge rests on those alone.
CREATE FUNCTION rushes_legacy.bridge_cut() RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    DROP VIEW IF EXISTS rushes_legacy.bridge;
    IF to_regclass('public.unified_workflow_jobs') IS NOT NULL THEN
        PERFORM rushes_legacy.unify();
    END IF;
END
$$;

-- Access ----------------------------------------------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rushes_legacy FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rushes_legacy TO service_role;
REVOKE ALL ON FUNCTION rushes.sees_all(), rushes.sees(uuid, text), rushes.bridge_one(uuid), rushes.bridge_cards(uuid[]),
    rushes.bridge_rows(rushes.job_filter, boolean, integer) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION rushes.sees_all(), rushes.sees(uuid, text), rushes.bridge_one(uuid), rushes.bridge_cards(uuid[]),
    rushes.bridge_rows(rushes.job_filter, boolean, integer) TO anon, authenticated, service_role;
