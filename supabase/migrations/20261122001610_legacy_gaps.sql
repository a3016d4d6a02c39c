-- The bridge once rows have moved, and for rows that were odd to it; replaces functions of the bridge's migration.
-- * Until now each page looked for the rows without a job: after `migrate` there are none, so that it read whole
--   tables (0.8 s with 300,000 rows). Where every change is noted, only what is noted can be without a job.
-- * A dataset without created_at has its first item's time, as `migrate` gives it, and so the same id.
-- * While half of the rows have moved, a page is still merged from indexes: no join is hashed, no table sorted.
-- * After phase 1, rows that the old app goes on writing get their workflow_type as well, by a trigger.
-- * The content is read as `migrate` reads it: values that JSON can't hold fail no page.

-- Whether every row of an old table has been moved once, and what has changed since is noted.
CREATE FUNCTION rushes_legacy.all_moved(name text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    RETURN (SELECT count(*) = 4 FROM pg_catalog.pg_trigger AS t
            WHERE t.tgrelid = to_regclass('public.' || name) AND t.tgenabled IN ('O', 'A')
              AND t.tgname IN ('rushes_note_insert', 'rushes_note_update', 'rushes_note_delete', 'rushes_note_truncate'))
        AND (EXISTS (SELECT FROM rushes_legacy.progress AS p
                     WHERE p.step = 'migrate' AND p.legacy_table = name AND p.finished_at IS NOT NULL)
             OR EXISTS (SELECT FROM rushes_legacy.log AS l WHERE l.step = 'migrate' AND l.event = 'finished'));
END
$$;

-- Whether an old row has no job. As a join it would be hashed once half of the rows have moved, and the table sorted;
-- what costs so much is asked of no more rows than a page needs.
CREATE FUNCTION rushes_legacy.is_unmoved(name text, id text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER COST 10000 SET search_path = ''
AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM public.workflow_jobs AS j WHERE j.legacy_table = name AND j.legacy_id = is_unmoved.id);
END
$$;

-- What stands for created_at in a dataset without one.
CREATE FUNCTION rushes_legacy.first_item_at(dataset text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' SET timezone = 'UTC'
AS $$
DECLARE
    first_at timestamptz;
BEGIN
    IF EXISTS (SELECT FROM rushes_legacy.columns_of(to_regclass('public.data')) AS c WHERE c.name = 'created_at') THEN
        EXECUTE 'SELECT min(rushes_legacy.any_moment_of(to_jsonb(i.created_at) #>> ''{}'')) FROM public.data AS i
                 WHERE i.dataset_id::text = $1'
            INTO first_at USING dataset;
    END IF;
    RETURN first_at;
END
$$;

-- A moment as a column of text has it: read in UTC whatever the session says, so that an index may keep it.
CREATE FUNCTION rushes_legacy.moment_told(told text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = '' SET timezone = 'UTC'
AS $$ BEGIN RETURN rushes_legacy.any_moment_of(told); END $$;

-- The tables that have rows of their own, and what stands for created_at and timestamp_submitted: a column may be
-- missing, or have a type of somebody's own.
CREATE OR REPLACE FUNCTION rushes_legacy.bridge_tables() RETURNS TABLE (name text, key text, created text, submitted text)
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT n.name, rushes_legacy.key_column(n.name),
           coalesce(min(m.expression) FILTER (WHERE c.name = 'created_at'), 'NULL::timestamptz'),
           coalesce(min(m.expression) FILTER (WHERE c.name = 'timestamp_submitted'), 'NULL::timestamptz')
    FROM unnest(rushes_legacy.standing('r')) WITH ORDINALITY AS n (name, place)
    CROSS JOIN LATERAL rushes_legacy.columns_of(to_regclass('public.' || n.name)) AS c
    CROSS JOIN LATERAL (SELECT CASE
        WHEN c.type = 'timestamp with time zone' OR c.type LIKE 'timestamp(_) with time zone' THEN format('t.%I', c.name)
        WHEN c.type LIKE 'timestamp%without time zone' THEN format('(t.%I AT TIME ZONE ''UTC'')', c.name)
        WHEN c.type = 'text' OR c.type LIKE 'character%' THEN format('rushes_legacy.moment_told(t.%I)', c.name) END) AS m (expression)
    WHERE n.name <> 'data'
    GROUP BY n.name, n.place ORDER BY n.place
$$;

-- Where an old row `t` is found in the order of the bridge: its table, its key, what stands for created_at and
-- timestamp_submitted, and for which rows this is so. Their order is an index's, but of datasets without a time.
CREATE FUNCTION rushes_legacy.bridge_parts() RETURNS TABLE (name text, key text, created text, submitted text, chosen text)
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT b.name, b.key, d.created, b.submitted, d.chosen
    FROM rushes_legacy.bridge_tables() WITH ORDINALITY AS b (name, key, created, submitted, place)
    CROSS JOIN LATERAL (
        SELECT 1 AS place, b.created, CASE WHEN b.name = 'datasets' THEN format('isfinite(%s) IS TRUE', b.created) ELSE 'true' END AS chosen
        UNION ALL
        SELECT 2, 'rushes_legacy.first_item_at(t.id::text)', format('isfinite(%s) IS NOT TRUE', b.created) WHERE b.name = 'datasets') AS d
    ORDER BY b.place, d.place
$$;

-- The old rows without a job, of the tables whose rows have all been moved once: some of those that are noted.
CREATE FUNCTION rushes_legacy.bridge_noted(contents jsonb)
RETURNS TABLE (id uuid, created timestamptz, legacy_table text, legacy_id text, content jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = ''
AS $$
DECLARE
    part record;
    noted text[];
BEGIN
    FOR part IN SELECT * FROM rushes_legacy.bridge_parts() LOOP
        CONTINUE WHEN NOT rushes_legacy.all_moved(part.name);
        noted := ARRAY(SELECT DISTINCT c.legacy_id FROM rushes_legacy.changes AS c
                       WHERE c.legacy_table = part.name AND NOT EXISTS (
                           SELECT FROM public.workflow_jobs AS j WHERE j.legacy_table = part.name AND j.legacy_id = c.legacy_id));
        CONTINUE WHEN noted = '{}';
        RETURN QUERY EXECUTE format(
            'SELECT rushes_legacy.bridge_id(%1$L, (t.%2$I)::text, %3$s, %4$s), rushes_legacy.bridge_created(%3$s, %4$s),
                    %1$L::text, t.%2$I::text, %5$s
             FROM public.%1$I AS t WHERE t.%2$I::text = ANY ($1) AND %6$s',
            part.name, part.key, part.created, part.submitted, coalesce(contents ->> part.name, 'to_jsonb(t)'), part.chosen) USING noted;
    END LOOP;
END
$$;

-- What the two views need: the order of each old table, and of the jobs.
CREATE OR REPLACE FUNCTION rushes_legacy.bridge_indexes() RETURNS TABLE (name text, statement text)
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
    SELECT 'legacy_bridge_shown', 'CREATE INDEX CONCURRENTLY IF NOT EXISTS legacy_bridge_shown ON public.workflow_jobs (created_at) '
        'INCLUDE (id, user_id, visibility, deleted_at) WHERE deleted_at IS NULL'
$$;
DROP INDEX IF EXISTS public.legacy_bridge_jobs;

DROP FUNCTION rushes_legacy.bridge_text(), rushes_legacy.unified_text(), rushes_legacy.unify(), rushes_legacy.bridge_up();

-- Each part is in order, so that a page is merged from them, and nothing more is read. `contents` says for each table
-- how a row `t` becomes JSON, where that is not to_jsonb.
CREATE FUNCTION rushes_legacy.bridge_text(contents jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT 'CREATE VIEW rushes_legacy.bridge AS ' || string_agg(format($part$
        (SELECT rushes_legacy.bridge_id(%1$L, (t.%2$I)::text, %3$s, %4$s) AS id, %1$L::text AS legacy_table,
                t.%2$I::text AS legacy_id, %5$s AS content
         FROM public.%1$I AS t
         WHERE NOT (SELECT rushes_legacy.all_moved(%1$L)) AND %6$s
           AND rushes_legacy.is_unmoved(%1$L, t.%2$I::text)
         ORDER BY rushes_legacy.bridge_id(%1$L, (t.%2$I)::text, %3$s, %4$s) DESC) UNION ALL
    $part$, t.name, t.key, t.created, t.submitted, coalesce(contents ->> t.name, 'to_jsonb(t)'), t.chosen), '')
    || format('(SELECT n.id, n.legacy_table, n.legacy_id, n.content FROM rushes_legacy.bridge_noted(%L) AS n ORDER BY n.id DESC)', contents)
    FROM rushes_legacy.bridge_parts() AS t
$$;

CREATE FUNCTION rushes_legacy.unified_text(contents jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    WITH sources (text) AS (
        SELECT format($source$
               SELECT rushes_legacy.bridge_created(%3$s, %4$s) AS at, %1$L::text AS legacy_table, t.%2$I::text AS id, %5$s AS content
               FROM public.%1$I AS t
               WHERE ((SELECT rushes.sees_all()) OR (SELECT rushes_legacy.bridge_open()))
                 AND NOT (SELECT rushes_legacy.all_moved(%1$L)) AND %6$s
                 AND rushes_legacy.is_unmoved(%1$L, t.%2$I::text)
               ORDER BY rushes_legacy.bridge_created(%3$s, %4$s) DESC OFFSET 0
        $source$, t.name, t.key, t.created, t.submitted, coalesce(contents ->> t.name, 'to_jsonb(t)'), t.chosen)
        FROM rushes_legacy.bridge_parts() AS t
        UNION ALL
        SELECT format($source$
               SELECT n.created AS at, n.legacy_table, n.legacy_id AS id, n.content FROM rushes_legacy.bridge_noted(%L) AS n
               WHERE (SELECT rushes.sees_all()) OR (SELECT rushes_legacy.bridge_open())
               ORDER BY n.created DESC OFFSET 0
        $source$, contents)
        WHERE EXISTS (SELECT FROM rushes_legacy.bridge_parts())
    )
    -- Whose turn it is, is found in an index alone; only what is shown is fetched.
    SELECT $jobs$CREATE VIEW public.unified_workflow_jobs WITH (security_barrier = true) AS
        (SELECT o.created_at, j.id, j.job_id, j.user_id, j.workflow_type, j.workflow_name, j.status, j.updated_at,
                j.started_at, j.completed_at, j.processing_time_seconds, j.inputs, j.outputs, j.result_urls, j.prompt_text,
                CASE WHEN o.near THEN j.comfy_url END AS comfy_url, j.comfyui_output_filename, j.comfyui_output_subfolder,
                j.comfyui_output_type, j.error_message, j.error_code, j.model_used,
                CASE WHEN o.near THEN j.user_ip END AS user_ip, CASE WHEN o.near THEN j.metadata END AS metadata,
                j.visibility, j.title, j.rating, j.tags, j.parent_id, j.origin, 'workflow_jobs'::text AS source_table,
                j.legacy_table, j.legacy_id, CASE WHEN o.near THEN j.legacy_row END AS legacy_row
         FROM (SELECT j.created_at, j.id, s.near FROM public.workflow_jobs AS j
               CROSS JOIN LATERAL (SELECT (SELECT rushes.sees_all()) OR coalesce(j.user_id = (SELECT auth.uid()), false) AS near) AS s
               WHERE j.deleted_at IS NULL
                 AND (s.near OR j.visibility = 'public' OR (j.visibility = 'team' AND (SELECT rushes.is_member())))
               ORDER BY j.created_at DESC OFFSET 0) AS o
         CROSS JOIN LATERAL (SELECT * FROM public.workflow_jobs AS j WHERE j.id = o.id OFFSET 0) AS j
         ORDER BY o.created_at DESC)$jobs$
    || coalesce(string_agg(format($part$ UNION ALL
        (SELECT o.at, (o.m).id, (o.m).job_id, (o.m).user_id, (o.m).workflow_type, (o.m).workflow_name, (o.m).status,
                (o.m).updated_at, NULL::timestamptz, (o.m).completed_at, (o.m).processing_time_seconds, (o.m).inputs,
                (o.m).outputs, (o.m).result_urls, (o.m).prompt_text,
                CASE WHEN s.near THEN (o.m).comfy_url END, (o.m).comfyui_output_filename, (o.m).comfyui_output_subfolder,
                (o.m).comfyui_output_type, (o.m).error_message, (o.m).error_code, (o.m).model_used,
                CASE WHEN s.near THEN (o.m).user_ip END, CASE WHEN s.near THEN (o.m).metadata END,
                (o.m).visibility, NULL::text, NULL::smallint, '{}'::text[], NULL::uuid, 'legacy'::text, o.legacy_table,
                o.legacy_table, (o.m).legacy_id, CASE WHEN s.near THEN o.content END
         -- in order first, then read: what no page asks for stays unread
         FROM (SELECT i.at, i.legacy_table, i.content, rushes_legacy.old_job(i.legacy_table, i.id, i.content) AS m
               FROM (%s) AS i
               ORDER BY i.at DESC OFFSET 0) AS o
         CROSS JOIN LATERAL (SELECT (SELECT rushes.sees_all()) OR coalesce((o.m).user_id = (SELECT auth.uid()), false) AS near) AS s
         WHERE s.near OR rushes.sees((o.m).user_id, (o.m).visibility)
         ORDER BY o.at DESC)
    $part$, sources.text), ''), '')
    FROM sources
$$;

-- The view of the bridge; NULL where it isn't, or where somebody else's stands under its name.
CREATE FUNCTION rushes_legacy.unified_view() RETURNS regclass
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT c.oid::regclass FROM pg_catalog.pg_class AS c
    WHERE c.oid = to_regclass('public.unified_workflow_jobs') AND c.relkind = 'v'
      AND obj_description(c.oid, 'pg_class') LIKE '%Made by rushes legacy bridge%'
$$;

-- A dataset's items, from the old table, read as `migrate` reads them.
CREATE OR REPLACE FUNCTION rushes_legacy.bridge_items(dataset text) RETURNS rushes_legacy.item[]
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    came rushes_legacy.source_row[];
BEGIN
    IF to_regclass('rushes_legacy.bridge_data') IS NOT NULL THEN
        EXECUTE 'SELECT array_agg(ROW(''data'', b.legacy_id, b.content)::rushes_legacy.source_row)
                 FROM rushes_legacy.bridge_data AS b WHERE b.dataset_id = $1::uuid' INTO came USING dataset;
    END IF;
    RETURN ARRAY(SELECT i FROM rushes_legacy.items_of(came) AS i);
END
$$;

CREATE OR REPLACE FUNCTION rushes_legacy.bridge_down() RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    IF rushes_legacy.unified_view() IS NOT NULL THEN
        DROP VIEW public.unified_workflow_jobs;
    END IF;
    DROP VIEW IF EXISTS rushes_legacy.bridge, rushes_legacy.bridge_data;
    NOTIFY pgrst, 'reload schema';
END
$$;

-- After the cut-over every row has its job: the bridge rests on those alone.
CREATE OR REPLACE FUNCTION rushes_legacy.bridge_cut() RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    DROP VIEW IF EXISTS rushes_legacy.bridge, rushes_legacy.bridge_data;
    IF rushes_legacy.unified_view() IS NOT NULL THEN
        PERFORM rushes_legacy.unify();
    END IF;
END
$$;

CREATE FUNCTION rushes_legacy.unify(contents jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    DROP VIEW IF EXISTS public.unified_workflow_jobs;
    EXECUTE rushes_legacy.unified_text(contents);
    COMMENT ON VIEW public.unified_workflow_jobs IS
        'Every job, old and new, as the feed shows them to whoever asks. Made by rushes legacy bridge. It is its owner''s '
        'on purpose (no security_invoker): the old tables'' own policies show every row to everybody, and columns of '
        'workflow_jobs that it shows to owners and administrators alone are granted to nobody. It filters by itself, as '
        'the policies of workflow_jobs do, and security_barrier keeps what is asked of it behind that.';
    REVOKE ALL ON public.unified_workflow_jobs FROM PUBLIC, anon, authenticated, service_role;
    GRANT SELECT ON public.unified_workflow_jobs TO anon, authenticated, service_role;
    GRANT EXECUTE ON FUNCTION rushes_legacy.old_job(text, text, jsonb), rushes_legacy.bridge_open(), rushes_legacy.all_moved(text),
        rushes_legacy.bridge_noted(jsonb), rushes_legacy.first_item_at(text), rushes_legacy.is_unmoved(text, text),
        rushes_legacy.moment_told(text), rushes_legacy.bridge_created(timestamptz, timestamptz) TO anon, authenticated, service_role;
    NOTIFY pgrst, 'reload schema';
END
$$;

CREATE FUNCTION rushes_legacy.bridge_up(contents jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    DROP VIEW IF EXISTS rushes_legacy.bridge, rushes_legacy.bridge_data;
    EXECUTE rushes_legacy.bridge_text(contents);
    REVOKE ALL ON rushes_legacy.bridge FROM PUBLIC, anon, authenticated, service_role;
    IF 'data' = ANY (rushes_legacy.standing('r')) THEN
        EXECUTE format('CREATE VIEW rushes_legacy.bridge_data AS
                        SELECT t.dataset_id, t.id::text AS legacy_id, %s AS content FROM public.data AS t
                        CROSS JOIN LATERAL (SELECT t.dataset_id AS dataset) AS w', coalesce(contents ->> 'data', 'to_jsonb(t)'));
        REVOKE ALL ON rushes_legacy.bridge_data FROM PUBLIC, anon, authenticated, service_role;
    END IF;
    PERFORM rushes_legacy.unify(contents);
END
$$;

-- Rows that never ended ------------------------------------------------------------------------------

-- Once more what had not ended when it was read, and is too old to end now; how many were written. In portions: the
-- rows may hold images, and a server takes no more than 1 GB at once.
CREATE OR REPLACE FUNCTION rushes_legacy.give_up_stale() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
DECLARE
    old record;
    portion rushes_legacy.source_row[] := '{}';
    together bigint := 0;
    written bigint := 0;
BEGIN
    FOR old IN
        SELECT j.legacy_table, j.legacy_id, j.legacy_row, octet_length(j.legacy_row::text) AS size
        FROM public.workflow_jobs AS j CROSS JOIN rushes_legacy.choices AS c
        WHERE j.origin = 'legacy' AND j.status IN ('pending', 'processing') AND j.created_at < c.stale_before
        LIMIT 10000
        -- after the cut-over somebody may write it through a view just now
        FOR UPDATE OF j SKIP LOCKED
    LOOP
        IF together + old.size > 16777216 OR cardinality(portion) >= 1000 THEN
            written := written + rushes_legacy.take_in(portion);
            portion := '{}';
            together := 0;
        END IF;
        portion := portion || ROW(old.legacy_table, old.legacy_id, old.legacy_row)::rushes_legacy.source_row;
        together := together + old.size;
    END LOOP;
    RETURN written + rushes_legacy.take_in(portion);
END
$$;

-- Values that were cut ------------------------------------------------------------------------------

-- 'rushes:cut' for a row that is written through a view: the columns that still say what they said when they were cut.
CREATE FUNCTION rushes_legacy.still_cut(was jsonb, content jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = ''
AS $$
    SELECT coalesce((
        SELECT jsonb_build_object('rushes:cut', jsonb_agg(c.name))
        FROM jsonb_array_elements_text(CASE WHEN jsonb_typeof(was -> 'rushes:cut') = 'array' THEN was -> 'rushes:cut' END) AS c (name)
        WHERE was -> c.name = content -> c.name HAVING count(*) > 0), '{}')
$$;

CREATE OR REPLACE FUNCTION rushes_legacy.write_function(name text, source regclass) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN format($outer$
CREATE OR REPLACE FUNCTION rushes_legacy.%1$I() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET timezone = 'UTC'
AS $write$
#variable_conflict use_column
DECLARE
    present_row jsonb;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        present_row := rushes_legacy.hold(%2$L, OLD.%3$I::text, TG_OP = 'DELETE');
        IF present_row IS NULL THEN
            RETURN NULL;
        ELSIF TG_OP = 'DELETE' THEN
            PERFORM rushes_legacy.discard(%2$L, OLD.%3$I::text);
            RETURN OLD;
        END IF;
        NEW := jsonb_populate_record(NEW, rushes_legacy.meanwhile(to_jsonb(OLD), to_jsonb(NEW), present_row));
    END IF;
%4$s
    IF OLD.%3$I <> NEW.%3$I THEN
        PERFORM rushes_legacy.check_childless(%2$L, OLD.%3$I::text);
        PERFORM rushes_legacy.discard(%2$L, OLD.%3$I::text);
    END IF;
    PERFORM rushes_legacy.keep(%2$L, NEW.%3$I::text, to_jsonb(NEW) || rushes_legacy.still_cut(present_row, to_jsonb(NEW)));
    RETURN NEW;
END
$write$
$outer$, 'write_' || name, name, rushes_legacy.key_column(name), rushes_legacy.write_body(name, source));
END
$$;

-- The rows of these keys as the views show them now, into the old table in its archive; what is gone goes there, too.
CREATE OR REPLACE FUNCTION rushes_legacy.carry(name text, ids text[]) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    key CONSTANT text := rushes_legacy.key_column(name);
    source CONSTANT regclass := format('legacy_archive.%I', name)::regclass;
    key_type text;
    listed text;
    read text;
    changed text;
    row_cut record;
BEGIN
    SELECT c.type INTO key_type FROM rushes_legacy.columns_of(source) AS c WHERE c.name = key;
    SELECT string_agg(format('%I', c.name), ', ' ORDER BY c.place),
           string_agg(CASE WHEN c.kind = 'json' AND c.required THEN format('coalesce(r.%1$I, ''null'')', c.name)
                           ELSE format('r.%I', c.name) END, ', ' ORDER BY c.place),
           string_agg(format('%1$I = excluded.%1$I', c.name), ', ' ORDER BY c.place)
    INTO listed, read, changed
    FROM rushes_legacy.columns_of(source) AS c WHERE NOT c.computed;
    EXECUTE format(
        'INSERT INTO %s (%s) SELECT %s FROM %s, LATERAL jsonb_populate_record(NULL::%s, j.legacy_row) AS r
         %s j.legacy_id = ANY ($1) AND NOT (j.legacy_row ? ''rushes:cut'' AND EXISTS (SELECT FROM %s AS o WHERE o.%I::text = j.legacy_id))
         ON CONFLICT (%I) DO UPDATE SET %s',
        source, listed, read, split_part(rushes_legacy.rows_of(name), ' WHERE ', 1), source,
        'WHERE ' || split_part(replace(rushes_legacy.rows_of(name), ' AND j.deleted_at IS NULL', ''), ' WHERE ', 2) || ' AND',
        source, key, key, changed)
    USING ids;
    -- of a value that was cut, the table has the whole
    FOR row_cut IN EXECUTE format('SELECT j.legacy_id, j.legacy_row FROM %s AND j.legacy_id = ANY ($1) AND j.legacy_row ? ''rushes:cut''',
                                  replace(rushes_legacy.rows_of(name), ' AND j.deleted_at IS NULL', '')) USING ids
    LOOP
        SELECT string_agg(format('%1$I = r.%1$I', c.name), ', ') INTO changed
        FROM rushes_legacy.columns_of(source) AS c
        WHERE NOT c.computed AND NOT CASE jsonb_typeof(row_cut.legacy_row -> 'rushes:cut')
            WHEN 'array' THEN row_cut.legacy_row -> 'rushes:cut' ? c.name
            ELSE length(row_cut.legacy_row ->> c.name) = 1000 END;
        EXECUTE format('UPDATE %1$s AS t SET %2$s FROM jsonb_populate_record(NULL::%1$s, $1) AS r WHERE t.%3$I = r.%3$I', source, changed, key)
        USING row_cut.legacy_row;
    END LOOP;
    EXECUTE format(
        'DELETE FROM %s AS t WHERE t.%I = ANY ($1::%s[]) AND NOT EXISTS (SELECT FROM %s AND j.legacy_id = t.%I::text)',
        source, key, key_type, replace(rushes_legacy.rows_of(name), ' AND j.deleted_at IS NULL', ''), key)
    USING ids;
END
$$;

-- Phase 1 ---------------------------------------------------------------------------------------------

-- The type that a row of an old table gets as it is now; NULL while it runs, since its file's name is to come, and
-- where no rule knows.
CREATE FUNCTION rushes_legacy.type_for(name text, content jsonb) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' SET timezone = 'UTC'
AS $$
BEGIN
    IF name = 'multitalk_jobs' AND content ->> 'status' IN ('submitted', 'pending', 'processing') THEN
        RETURN NULL;
    END IF;
    RETURN nullif((rushes_legacy.type_of(name, content))[1], 'unknown');
END
$$;

-- Behind the trigger rushes_type of phase 1, on the old tables: rows that the old app writes later get their type, too.
-- What goes wrong with that is not the old app's.
CREATE FUNCTION rushes_legacy.fill_type() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    -- who takes a type away means it
    IF TG_OP = 'INSERT' OR OLD.workflow_type IS NULL THEN
        NEW.workflow_type := rushes_legacy.type_for(TG_TABLE_NAME, to_jsonb(NEW));
    END IF;
    RETURN NEW;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'A row of % got no workflow_type: %', TG_TABLE_NAME, SQLERRM;
    RETURN NEW;
END
$$;

-- The views do what that trigger did.
CREATE OR REPLACE FUNCTION rushes_legacy.write_body(name text, source regclass) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    key CONSTANT text := rushes_legacy.key_column(name);
    body text := '';
    rule record;
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
               WHERE t.tgrelid = source AND NOT t.tgisinternal AND rushes_legacy.stamps(t.tgfoid)) THEN
        body := body || E'    IF TG_OP = ''UPDATE'' THEN NEW.updated_at := now(); END IF;\n';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = source AND t.tgname = 'rushes_type') THEN
        body := body || format(E'    IF NEW.workflow_type IS NULL AND OLD.workflow_type IS NULL THEN NEW.workflow_type := rushes_legacy.type_for(%L, to_jsonb(NEW)); END IF;\n', name);
    END IF;
    FOR rule IN SELECT c.name FROM rushes_legacy.columns_of(source) AS c WHERE c.required ORDER BY c.place LOOP
        body := body || format(E'    IF NEW.%I IS NULL THEN PERFORM rushes_legacy.refuse_null(%L, %L); END IF;\n',
                               rule.name, name, rule.name);
    END LOOP;
    FOR rule IN SELECT c.conname, pg_catalog.pg_get_expr(c.conbin, c.conrelid) AS expression
                FROM pg_catalog.pg_constraint AS c WHERE c.conrelid = source AND c.contype = 'c' ORDER BY c.conname LOOP
        body := body || format(
            E'    IF (SELECT NOT (%s) FROM (SELECT NEW.*) AS candidate) THEN PERFORM rushes_legacy.refuse_check(%L, %L); END IF;\n',
            rule.expression, name, rule.conname);
    END LOOP;
    FOR rule IN SELECT c.conname FROM pg_catalog.pg_constraint AS c WHERE c.conrelid = source AND c.contype = 'p' LOOP
        body := body || format(
            E'    IF OLD IS NULL OR OLD.%1$I <> NEW.%1$I THEN PERFORM rushes_legacy.claim(%2$L, NEW.%1$I::text, %3$L); END IF;\n',
            key, name, rule.conname);
    END LOOP;
    FOR rule IN SELECT c.conname, a.attname AS child, p.relname AS parent
                FROM pg_catalog.pg_constraint AS c
                JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                JOIN pg_catalog.pg_class AS p ON p.oid = c.confrelid
                WHERE c.conrelid = source AND c.contype = 'f' LOOP
        body := body || format(
            E'    IF NEW.%1$I IS NOT NULL AND NOT rushes_legacy.hold_dataset(NEW.%1$I::text, false) THEN PERFORM rushes_legacy.refuse_orphan(%3$L, %4$L, %1$L, NEW.%1$I::text, %2$L); END IF;\n',
            rule.child, rule.parent, name, rule.conname);
    END LOOP;
    RETURN body;
END
$$;

-- Access ----------------------------------------------------------------------------------------------

REVOKE ALL ON FUNCTION rushes_legacy.still_cut(jsonb, jsonb) FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION rushes_legacy.still_cut(jsonb, jsonb) TO service_role;
REVOKE ALL ON FUNCTION rushes_legacy.unified_view() FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION rushes_legacy.unified_view() TO service_role;
REVOKE ALL ON FUNCTION rushes_legacy.type_for(text, jsonb), rushes_legacy.fill_type() FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION rushes_legacy.type_for(text, jsonb), rushes_legacy.fill_type() TO service_role;

REVOKE ALL ON FUNCTION rushes_legacy.all_moved(text), rushes_legacy.is_unmoved(text, text), rushes_legacy.first_item_at(text), rushes_legacy.moment_told(text),
    rushes_legacy.bridge_parts(),
    rushes_legacy.bridge_noted(jsonb), rushes_legacy.bridge_text(jsonb), rushes_legacy.unified_text(jsonb),
    rushes_legacy.unify(jsonb), rushes_legacy.bridge_up(jsonb) FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION rushes_legacy.all_moved(text), rushes_legacy.is_unmoved(text, text), rushes_legacy.first_item_at(text), rushes_legacy.moment_told(text),
    rushes_legacy.bridge_parts(),
    rushes_legacy.bridge_noted(jsonb), rushes_legacy.bridge_text(jsonb), rushes_legacy.unified_text(jsonb),
    rushes_legacy.unify(jsonb), rushes_legacy.bridge_up(jsonb) TO service_role;
