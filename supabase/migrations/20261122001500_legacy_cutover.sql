-- Views with the old tables' names, on workflow_jobs: what the old app reads is each job's legacy_row, the row as its
-- source had it, and what it writes goes through the same rules as migrate's rows. `rushes legacy cutover` puts them
-- up, `rollback` takes them down; until then, nothing here does anything.

-- What was written through the views, for a rollback to carry back.
CREATE TABLE rushes_legacy.written (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    legacy_table    text NOT NULL,
    legacy_id       text NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The old names, parents first.
CREATE FUNCTION rushes_legacy.names() RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = ''
RETURN ARRAY['multitalk_jobs', 'style_transfers', 'edited_images', 'datasets', 'data'];

CREATE FUNCTION rushes_legacy.key_column(name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = ''
RETURN CASE name WHEN 'multitalk_jobs' THEN 'job_id' ELSE 'id' END;

-- A moment as JSON has it. It names its offset, so it means the same in every session, and an index may keep it.
CREATE FUNCTION rushes_legacy.moment(told text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = ''
AS $$ BEGIN RETURN told::timestamptz; END $$;

-- Phase 1 -----------------------------------------------------------------------------------------

-- Undoes what the old app's own trigger does to updated_at, where phase 1 writes; its name makes it run last.
CREATE FUNCTION rushes_legacy.keep_updated_at() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$ BEGIN NEW.updated_at := OLD.updated_at; RETURN NEW; END $$;

-- Fills workflow_type of the next `most` rows after a key: the last key seen, how many were seen, filled, and left
-- for later (they run, and what they turn out to be may still change; or somebody writes them just now).
CREATE FUNCTION rushes_legacy.fill_types(name text, after_key text, most integer, young interval)
RETURNS TABLE (last_key text, seen bigint, filled bigint, later bigint)
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    key CONSTANT text := rushes_legacy.key_column(name);
    key_type CONSTANT text := (
        SELECT c.type FROM rushes_legacy.columns_of(format('public.%I', name)::regclass) AS c WHERE c.name = key);
BEGIN
    PERFORM set_config('rushes.keep_updated_at', 'on', true);
    RETURN QUERY EXECUTE format($fill$
        WITH looked_at AS MATERIALIZED (
            SELECT t.%2$I AS key FROM public.%1$I AS t
            WHERE $1 IS NULL OR t.%2$I > $1::%3$s ORDER BY t.%2$I LIMIT $2
        ), held AS MATERIALIZED (
            -- never waiting for a row, so that nobody can wait for us in a circle
            SELECT t.%2$I AS key, to_jsonb(t) AS content FROM public.%1$I AS t
            WHERE t.%2$I IN (SELECT l.key FROM looked_at AS l) AND t.workflow_type IS NULL
            FOR NO KEY UPDATE SKIP LOCKED
        ), typed AS MATERIALIZED (
            SELECT h.key, (rushes_legacy.type_of(%1$L, h.content))[1] AS type
            FROM held AS h
            WHERE coalesce(h.content ->> 'status', '') NOT IN ('submitted', 'pending', 'processing')
               OR coalesce(rushes_legacy.moment_of(h.content ->> 'created_at'), '-infinity') < now() - $3
        ), written AS (
            UPDATE public.%1$I AS t SET workflow_type = y.type FROM typed AS y
            WHERE t.%2$I = y.key AND y.type <> 'unknown' RETURNING 1
        )
        SELECT (SELECT l.key::text FROM looked_at AS l ORDER BY l.key DESC LIMIT 1),
               (SELECT count(*) FROM looked_at), (SELECT count(*) FROM written),
               (SELECT count(*) FROM public.%1$I AS t JOIN looked_at AS l ON l.key = t.%2$I
                WHERE t.workflow_type IS NULL AND NOT EXISTS (SELECT FROM typed AS y WHERE y.key = l.key))
    $fill$, name, key, key_type) USING after_key, most, young;
    PERFORM set_config('rushes.keep_updated_at', '', true);
END
$$;

-- The old rows' columns ---------------------------------------------------------------------------

CREATE FUNCTION rushes_legacy.columns_of(source regclass)
RETURNS TABLE (name text, type text, kind text, required boolean, computed boolean, fallback text, place smallint)
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.atttypid = 'timestamptz'::regtype THEN 'moment'
                WHEN a.atttypid IN ('json'::regtype, 'jsonb'::regtype) THEN 'json'
                WHEN t.typcategory IN ('A', 'C') THEN 'nested' ELSE 'plain' END,
           a.attnotnull, a.attgenerated <> '' OR a.attidentity <> '', pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attnum
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
$$;

-- How a view, or an index, reads a column of table `name` from a job's legacy_row (alias j).
CREATE FUNCTION rushes_legacy.reading(name text, source regclass, wanted text) RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT CASE
        WHEN c.name = rushes_legacy.key_column(reading.name) THEN format('(j.legacy_id)::%s', c.type)
        WHEN c.kind = 'moment' THEN format('rushes_legacy.moment(j.legacy_row ->> %L)', c.name)
        WHEN c.kind = 'json' AND c.required THEN format('(j.legacy_row -> %L)::%s', c.name, c.type)
        WHEN c.kind = 'json' THEN format('nullif(j.legacy_row -> %L, ''null'')::%s', c.name, c.type)
        WHEN c.kind = 'nested' THEN format('(jsonb_populate_record(NULL::rushes_legacy.%I, j.legacy_row)).%I',
                                           'row_' || reading.name, c.name)
        ELSE format('(j.legacy_row ->> %L)::%s', c.name, c.type) END
    FROM rushes_legacy.columns_of(source) AS c WHERE c.name = wanted
$$;

-- Where a table's rows are now: the table (alias j), and which of its rows.
CREATE FUNCTION rushes_legacy.rows_of(name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = ''
RETURN CASE name WHEN 'data' THEN 'public.caption_dataset_items AS j WHERE j.legacy_id IS NOT NULL'
    ELSE format('public.workflow_jobs AS j WHERE j.legacy_table = %L AND j.origin = ''legacy'' AND j.deleted_at IS NULL', name) END;

-- Writing through the views ------------------------------------------------------------------------

-- The dataset of an item, or one that is written itself. Whoever writes to a dataset does it alone: its job tells all
-- of its items. (A dataset that goes waits for everybody who writes to it, before it keeps anybody waiting.)
CREATE FUNCTION rushes_legacy.hold_dataset(dataset text, leaving boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    IF leaving THEN
        PERFORM FROM public.caption_datasets AS d WHERE d.legacy_id = dataset FOR UPDATE;
    ELSE
        PERFORM FROM public.caption_datasets AS d WHERE d.legacy_id = dataset FOR NO KEY UPDATE;
    END IF;
    RETURN FOUND;
END
$$;

-- The row of a key as it is now, and nobody else's to change until the transaction ends.
CREATE FUNCTION rushes_legacy.hold(name text, id text, leaving boolean) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    found_row jsonb;
BEGIN
    IF name = 'data' THEN
        PERFORM rushes_legacy.hold_dataset(i.legacy_row ->> 'dataset_id', false)
        FROM public.caption_dataset_items AS i WHERE i.legacy_id = hold.id;
        SELECT i.legacy_row INTO found_row FROM public.caption_dataset_items AS i WHERE i.legacy_id = hold.id FOR UPDATE;
        RETURN found_row;
    ELSIF name = 'datasets' THEN
        PERFORM rushes_legacy.hold_dataset(id, leaving);
    ELSIF name = 'style_transfers' THEN
        -- rows with one prompt id are written one at a time: each looks at the others
        PERFORM pg_advisory_xact_lock(hashtextextended('rushes:legacy:prompt:' || s.prompt_id, 0))
        FROM rushes_legacy.style_prompts AS s
        WHERE s.legacy_id = hold.id AND rushes_legacy.is_shared(s.legacy_id, s.prompt_id);
    END IF;
    SELECT j.legacy_row INTO found_row FROM public.workflow_jobs AS j
    WHERE j.legacy_table = hold.name AND j.legacy_id = hold.id AND j.deleted_at IS NULL FOR UPDATE;
    RETURN found_row;
END
$$;

-- Keys that are being inserted. Two that insert the same one wait here for each other; nothing stays.
CREATE TABLE rushes_legacy.claims (
    legacy_table    text NOT NULL,
    legacy_id       text NOT NULL,
    PRIMARY KEY (legacy_table, legacy_id)
);

CREATE FUNCTION rushes_legacy.claim(name text, id text, broken text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    INSERT INTO rushes_legacy.claims (legacy_table, legacy_id) VALUES (name, id);
    DELETE FROM rushes_legacy.claims AS c WHERE c.legacy_table = name AND c.legacy_id = claim.id;
    IF (name = 'data' AND EXISTS (SELECT FROM public.caption_dataset_items AS i WHERE i.legacy_id = claim.id))
        OR EXISTS (SELECT FROM public.workflow_jobs AS j WHERE j.legacy_table = name AND j.legacy_id = claim.id) THEN
        PERFORM rushes_legacy.refuse_double(name, broken, rushes_legacy.key_column(name), id);
    END IF;
END
$$;

-- Datasets whose items were written in a transaction: their jobs are told once, at its end.
CREATE TABLE rushes_legacy.unsettled (
    xid             xid8 NOT NULL DEFAULT pg_current_xact_id(),
    dataset         text NOT NULL,
    PRIMARY KEY (xid, dataset)
);

CREATE FUNCTION rushes_legacy.with_items(dataset rushes_legacy.source_row) RETURNS rushes_legacy.source_row[]
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT dataset || ARRAY(
        SELECT ROW('data', i.legacy_id, i.legacy_row)::rushes_legacy.source_row
        FROM public.caption_datasets AS d JOIN public.caption_dataset_items AS i ON i.dataset_id = d.id
        WHERE d.legacy_id = (dataset).legacy_id AND i.legacy_id IS NOT NULL)
$$;

CREATE FUNCTION rushes_legacy.settle() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET timezone = 'UTC'
AS $$
DECLARE
    content jsonb;
BEGIN
    DELETE FROM rushes_legacy.unsettled AS u WHERE u.xid = NEW.xid AND u.dataset = NEW.dataset;
    IF FOUND AND rushes_legacy.hold_dataset(NEW.dataset, false) THEN
        SELECT j.legacy_row INTO content FROM public.workflow_jobs AS j
        WHERE j.legacy_table = 'datasets' AND j.legacy_id = NEW.dataset;
        IF content IS NOT NULL THEN
            PERFORM rushes_legacy.take_in(rushes_legacy.with_items(
                ROW('datasets', NEW.dataset, content)::rushes_legacy.source_row));
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER settle AFTER INSERT ON rushes_legacy.unsettled
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.xid = pg_current_xact_id())
    EXECUTE FUNCTION rushes_legacy.settle();

CREATE FUNCTION rushes_legacy.unsettle(dataset_ids text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = ''
AS $$
    INSERT INTO rushes_legacy.unsettled (dataset) SELECT DISTINCT d FROM unnest(dataset_ids) AS d ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION rushes_legacy.keep_item(id text, content jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET timezone = 'UTC'
AS $$
BEGIN
    PERFORM rushes_legacy.unsettle(ARRAY(
        SELECT content ->> 'dataset_id'
        UNION SELECT i.legacy_row ->> 'dataset_id' FROM public.caption_dataset_items AS i WHERE i.legacy_id = keep_item.id));
    INSERT INTO public.caption_dataset_items AS i (id, dataset_id, position, image, created_at, legacy_id, legacy_row)
    SELECT rushes_legacy.id_of('data', keep_item.id, coalesce(rushes_legacy.moment_of(content ->> 'created_at'), d.created_at)),
           d.id, (SELECT coalesce(max(o.position), 0) + 1 FROM public.caption_dataset_items AS o WHERE o.dataset_id = d.id),
           '{}', coalesce(rushes_legacy.moment_of(content ->> 'created_at'), d.created_at), keep_item.id, content
    FROM public.caption_datasets AS d WHERE d.legacy_id = content ->> 'dataset_id'
    ON CONFLICT (legacy_id) DO UPDATE SET legacy_row = excluded.legacy_row,
        dataset_id = excluded.dataset_id,
        position = CASE WHEN i.dataset_id = excluded.dataset_id THEN i.position ELSE excluded.position END;
END
$$;

-- A row as the old app wrote it becomes, or changes, its job.
CREATE FUNCTION rushes_legacy.keep(name text, id text, content jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    came CONSTANT rushes_legacy.source_row := (name, id, content);
BEGIN
    IF name = 'data' THEN
        PERFORM rushes_legacy.keep_item(id, content);
    ELSIF name = 'datasets' THEN
        PERFORM rushes_legacy.take_in(rushes_legacy.with_items(came));
    ELSE
        PERFORM rushes_legacy.take_in(ARRAY[came]);
    END IF;
    INSERT INTO rushes_legacy.written (legacy_table, legacy_id) VALUES (name, id);
END
$$;

CREATE FUNCTION rushes_legacy.discard(name text, id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    dataset text;
BEGIN
    IF name = 'data' THEN
        DELETE FROM public.caption_dataset_items AS i WHERE i.legacy_id = discard.id
        RETURNING i.legacy_row ->> 'dataset_id' INTO dataset;
        PERFORM rushes_legacy.unsettle(ARRAY[dataset]);
    ELSE
        PERFORM rushes_legacy.let_go(name, ARRAY[id]);
    END IF;
    INSERT INTO rushes_legacy.written (legacy_table, legacy_id) VALUES (name, id);
END
$$;

-- What a table would refuse, in its own words -----------------------------------------------------

CREATE FUNCTION rushes_legacy.refuse_null(name text, wanted text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'not_null_violation',
        MESSAGE = format('null value in column "%s" of relation "%s" violates not-null constraint', wanted, name),
        SCHEMA = 'public', TABLE = name, COLUMN = wanted;
END
$$;

CREATE FUNCTION rushes_legacy.refuse_check(name text, broken text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation',
        MESSAGE = format('new row for relation "%s" violates check constraint "%s"', name, broken),
        SCHEMA = 'public', TABLE = name, CONSTRAINT = broken;
END
$$;

CREATE FUNCTION rushes_legacy.refuse_double(name text, broken text, key text, id text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'unique_violation',
        MESSAGE = format('duplicate key value violates unique constraint "%s"', broken),
        DETAIL = format('Key (%s)=(%s) already exists.', key, id),
        SCHEMA = 'public', TABLE = name, CONSTRAINT = broken;
END
$$;

CREATE FUNCTION rushes_legacy.refuse_orphan(name text, broken text, key text, id text, parent text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
        MESSAGE = format('insert or update on table "%s" violates foreign key constraint "%s"', name, broken),
        DETAIL = format('Key (%s)=(%s) is not present in table "%s".', key, id, parent),
        SCHEMA = 'public', TABLE = name, CONSTRAINT = broken;
END
$$;

CREATE FUNCTION rushes_legacy.check_childless(name text, id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    IF name = 'datasets' AND EXISTS (
        SELECT FROM public.caption_datasets AS d JOIN public.caption_dataset_items AS i ON i.dataset_id = d.id
        WHERE d.legacy_id = check_childless.id) THEN
        RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
            MESSAGE = 'update or delete on table "datasets" violates foreign key constraint "data_dataset_id_fkey" on table "data"',
            DETAIL = format('Key (id)=(%s) is still referenced from table "data".', id),
            SCHEMA = 'public', TABLE = 'data', CONSTRAINT = 'data_dataset_id_fkey';
    END IF;
END
$$;

-- The triggers behind the views -------------------------------------------------------------------

-- What somebody else changed since a statement looked at the row, in columns that the statement leaves alone.
CREATE FUNCTION rushes_legacy.meanwhile(was jsonb, wanted jsonb, present jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = ''
AS $$
    SELECT coalesce(jsonb_object_agg(c.key, c.value), '{}')
    FROM jsonb_each(present) AS c
    WHERE was ? c.key AND was -> c.key <> c.value AND wanted -> c.key = was -> c.key
$$;

-- Whether a trigger does nothing but stamp updated_at; others can't be repeated by a view.
CREATE FUNCTION rushes_legacy.stamps(trigger_function oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT lower(p.prosrc) ~ '^\s*begin\s+new\.updated_at\s*:?=\s*(now\(\)|current_timestamp|timezone\(''utc''::text,\s*now\(\)\));\s*return\s+new;\s*end;?\s*$'
    FROM pg_catalog.pg_proc AS p WHERE p.oid = trigger_function
$$;

CREATE FUNCTION rushes_legacy.write_body(name text, source regclass) RETURNS text
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

CREATE FUNCTION rushes_legacy.write_function(name text, source regclass) RETURNS text
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
    PERFORM rushes_legacy.keep(%2$L, NEW.%3$I::text, to_jsonb(NEW));
    RETURN NEW;
END
$write$
$outer$, 'write_' || name, name, rushes_legacy.key_column(name), rushes_legacy.write_body(name, source));
END
$$;


-- Up and down -------------------------------------------------------------------------------------

CREATE FUNCTION rushes_legacy.view_text(name text, source regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT format('CREATE VIEW public.%I AS SELECT %s FROM %s', view_text.name,
        string_agg(format('%s AS %I', rushes_legacy.reading(view_text.name, source, c.name), c.name), ', ' ORDER BY c.place),
        rushes_legacy.rows_of(view_text.name))
    FROM rushes_legacy.columns_of(source) AS c
$$;

-- The indexes that the views need to be as quick as the tables were: those of the tables, on what the views read.
CREATE FUNCTION rushes_legacy.view_indexes() RETURNS TABLE (name text, statement text)
LANGUAGE sql STABLE SET search_path = ''
AS $$
    WITH tables AS (
        SELECT n.name, to_regclass('public.' || n.name) AS source
        FROM unnest(rushes_legacy.names()) AS n (name)
    ), wanted AS (
        -- what was indexed, by its first column
        SELECT t.name, t.source, a.attname AS wanted
        FROM tables AS t
        JOIN pg_catalog.pg_index AS i ON i.indrelid = t.source
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.source AND a.attnum = i.indkey[0]
        UNION
        -- the order in which every page shows them
        SELECT t.name, t.source, 'created_at' FROM tables AS t WHERE t.name <> 'data' AND t.source IS NOT NULL
    ), columns AS (
        SELECT w.name, w.wanted, rushes_legacy.reading(w.name, w.source, w.wanted) AS reading
        FROM wanted AS w
        JOIN LATERAL rushes_legacy.columns_of(w.source) AS c ON c.name = w.wanted
        -- its text form means the same in every session, or the table is small
        WHERE c.kind = 'moment' OR c.type ~ '^(text|character|uuid|integer|bigint|smallint|boolean|numeric)'
    )
    SELECT format('legacy_%s_%s', c.name, c.wanted),
           format('CREATE INDEX CONCURRENTLY IF NOT EXISTS %I ON %s ((%s)) WHERE %s',
                  format('legacy_%s_%s', c.name, c.wanted),
                  split_part(rushes_legacy.rows_of(c.name), ' ', 1), replace(c.reading, 'j.', ''),
                  CASE c.name WHEN 'data' THEN 'legacy_id IS NOT NULL' ELSE format('legacy_table = %L', c.name) END)
    FROM columns AS c
    -- the key as text has an index already
    WHERE NOT (c.name = 'multitalk_jobs' AND c.wanted = 'job_id')
$$;

-- An archived table's triggers rest as replica triggers, which nothing fires; one that was disabled stays it.
CREATE FUNCTION rushes_legacy.switch_triggers(source regclass, state "char", switched text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT t.tgname FROM pg_catalog.pg_trigger AS t
               WHERE t.tgrelid = source AND NOT t.tgisinternal AND t.tgenabled = state LOOP
        EXECUTE format('ALTER TABLE %s %s TRIGGER %I', source, switched, own.tgname);
    END LOOP;
END
$$;

-- The old table goes to schema legacy_archive, and its view stands in its place. The caller holds its lock.
CREATE FUNCTION rushes_legacy.put_up(name text, app_role text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    source regclass := format('public.%I', name)::regclass;
    nested text;
    own record;
BEGIN
    PERFORM rushes_legacy.switch_triggers(source, 'O', 'ENABLE REPLICA');
    EXECUTE format('ALTER TABLE %s SET SCHEMA legacy_archive', source);
    SELECT string_agg(format('%I %s', c.name, c.type), ', ' ORDER BY c.place) INTO nested
    FROM rushes_legacy.columns_of(source) AS c WHERE c.kind = 'nested';
    IF nested IS NOT NULL THEN
        EXECUTE format('CREATE TYPE rushes_legacy.%I AS (%s)', 'row_' || name, nested);
    END IF;
    EXECUTE rushes_legacy.view_text(name, source);
    FOR own IN SELECT c.name, c.fallback FROM rushes_legacy.columns_of(source) AS c WHERE c.fallback IS NOT NULL LOOP
        EXECUTE format('ALTER VIEW public.%I ALTER COLUMN %I SET DEFAULT %s', name, own.name, own.fallback);
    END LOOP;
    EXECUTE rushes_legacy.write_function(name, source);
    EXECUTE format('REVOKE ALL ON FUNCTION rushes_legacy.%I() FROM PUBLIC', 'write_' || name);
    EXECUTE format('CREATE TRIGGER legacy_write INSTEAD OF INSERT OR UPDATE OR DELETE ON public.%I
                    FOR EACH ROW EXECUTE FUNCTION rushes_legacy.%I()', name, 'write_' || name);
    EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, anon, authenticated, service_role', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO %I', name, app_role);
END
$$;

-- The view goes, and the table comes back. What was written since has been carried back before.
CREATE FUNCTION rushes_legacy.take_down(name text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    EXECUTE format('DROP VIEW IF EXISTS public.%I', name);
    EXECUTE format('DROP FUNCTION IF EXISTS rushes_legacy.%I()', 'write_' || name);
    EXECUTE format('DROP TYPE IF EXISTS rushes_legacy.%I', 'row_' || name);
    EXECUTE format('ALTER TABLE legacy_archive.%I SET SCHEMA public', name);
    PERFORM rushes_legacy.switch_triggers(format('public.%I', name)::regclass, 'R', 'ENABLE');
END
$$;

-- Carrying back -----------------------------------------------------------------------------------

-- The rows of these keys as the views show them now, into the old table in its archive; what is gone goes there, too.
CREATE FUNCTION rushes_legacy.carry(name text, ids text[]) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    key CONSTANT text := rushes_legacy.key_column(name);
    source CONSTANT regclass := format('legacy_archive.%I', name)::regclass;
    key_type text;
    listed text;
    read text;
    changed text;
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
         %s j.legacy_id = ANY ($1) ON CONFLICT (%I) DO UPDATE SET %s',
        source, listed, read, split_part(rushes_legacy.rows_of(name), ' WHERE ', 1), source,
        'WHERE ' || split_part(replace(rushes_legacy.rows_of(name), ' AND j.deleted_at IS NULL', ''), ' WHERE ', 2) || ' AND',
        key, changed)
    USING ids;
    EXECUTE format(
        'DELETE FROM %s AS t WHERE t.%I = ANY ($1::%s[]) AND NOT EXISTS (SELECT FROM %s AND j.legacy_id = t.%I::text)',
        source, key, key_type, replace(rushes_legacy.rows_of(name), ' AND j.deleted_at IS NULL', ''), key)
    USING ids;
END
$$;

-- Carries back the oldest `most` changes; how many there were.
CREATE FUNCTION rushes_legacy.carry_back(most integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    taken rushes_legacy.written[];
    name text;
    ids text[];
BEGIN
    WITH gone AS (
        DELETE FROM rushes_legacy.written AS w
        WHERE w.id IN (SELECT o.id FROM rushes_legacy.written AS o ORDER BY o.id LIMIT most)
        RETURNING w.*
    )
    SELECT array_agg(g) INTO taken FROM gone AS g;
    FOREACH name IN ARRAY ARRAY['datasets', 'data', 'multitalk_jobs', 'style_transfers', 'edited_images'] LOOP
        SELECT array_agg(DISTINCT t.legacy_id) INTO ids FROM unnest(taken) AS t WHERE t.legacy_table = name;
        IF name = 'datasets' THEN
            -- the parents of items first, should they be in a later batch
            SELECT array_agg(DISTINCT p.id) INTO ids FROM (
                SELECT unnest(ids) AS id
                UNION
                SELECT i.legacy_row ->> 'dataset_id' FROM unnest(taken) AS t
                JOIN public.caption_dataset_items AS i ON i.legacy_id = t.legacy_id WHERE t.legacy_table = 'data'
            ) AS p;
        END IF;
        IF ids IS NOT NULL AND to_regclass(format('legacy_archive.%I', name)) IS NOT NULL THEN
            PERFORM rushes_legacy.carry(name, ids);
        END IF;
    END LOOP;
    RETURN coalesce(cardinality(taken), 0);
END
$$;

-- The whole exchange, in the caller's transaction ------------------------------------------------

CREATE FUNCTION rushes_legacy.standing(kind "char") RETURNS text[]
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT coalesce(array_agg(n.name ORDER BY n.place), '{}')
    FROM unnest(rushes_legacy.names()) WITH ORDINALITY AS n (name, place)
    JOIN pg_catalog.pg_class AS c ON c.oid = to_regclass('public.' || n.name) AND c.relkind = kind
$$;

-- Each wait is bounded by lock_timeout.
CREATE FUNCTION rushes_legacy.lock_tables() RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY rushes_legacy.standing('r') LOOP
        EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', name);
    END LOOP;
END
$$;

CREATE FUNCTION rushes_legacy.cut_over(app_role text, with_anon boolean) RETURNS text[]
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    tables CONSTANT text[] := rushes_legacy.standing('r');
    name text;
BEGIN
    IF to_regnamespace('legacy_archive') IS NULL THEN
        CREATE SCHEMA legacy_archive;
        REVOKE ALL ON SCHEMA legacy_archive FROM PUBLIC;
    END IF;
    -- what was written before an earlier rollback is in the tables
    DELETE FROM rushes_legacy.written;
    FOREACH name IN ARRAY tables LOOP
        PERFORM rushes_legacy.put_up(name, app_role);
        IF with_anon THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO anon, authenticated', name);
        END IF;
    END LOOP;
    PERFORM rushes_legacy.bridge_cut();  -- of the next migration
    -- whoever reads a view calls its functions
    EXECUTE format('GRANT EXECUTE ON FUNCTION rushes_legacy.moment(text) TO %I', app_role);
    IF with_anon THEN
        GRANT EXECUTE ON FUNCTION rushes_legacy.moment(text) TO anon, authenticated;
    END IF;
    -- PostgREST keeps what it knows of the schema
    NOTIFY pgrst, 'reload schema';
    RETURN tables;
END
$$;

-- The views first: whoever writes through one keeps its lock until his transaction ends.
CREATE FUNCTION rushes_legacy.roll_back() RETURNS text[]
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    views CONSTANT text[] := rushes_legacy.standing('v');
    name text;
BEGIN
    FOREACH name IN ARRAY views LOOP
        EXECUTE format('DROP VIEW public.%I', name);
    END LOOP;
    WHILE rushes_legacy.carry_back(1000) > 0 LOOP
    END LOOP;
    FOREACH name IN ARRAY views LOOP
        PERFORM rushes_legacy.take_down(name);
    END LOOP;
    DROP SCHEMA IF EXISTS legacy_archive;
    NOTIFY pgrst, 'reload schema';
    RETURN views;
END
$$;

-- Where an archived table and its view say something else: (key, what), at most `most`. What waits to be carried
-- back is none.
CREATE FUNCTION rushes_legacy.differences(name text, most integer) RETURNS TABLE (id text, what text)
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    source CONSTANT regclass := format('legacy_archive.%I', name)::regclass;
    key CONSTANT text := rushes_legacy.key_column(name);
    places CONSTANT text[] := regexp_match(
        replace(rushes_legacy.rows_of(name), ' AND j.deleted_at IS NULL', ''), '^(.*) WHERE (.*)$');
BEGIN
    RETURN QUERY EXECUTE format($compare$
        SELECT k.id, k.what FROM (
            SELECT coalesce(t.%2$I::text, v.legacy_id) AS id,
                   CASE WHEN v.legacy_id IS NULL THEN 'only in the table' WHEN t.%2$I IS NULL THEN 'only in the view'
                        ELSE 'differs' END AS what
            FROM %1$s AS t
            FULL JOIN (SELECT j.legacy_id, j.legacy_row FROM %3$s WHERE %4$s) AS v ON v.legacy_id = t.%2$I::text
            WHERE t.%2$I IS NULL OR v.legacy_id IS NULL
               -- (a row that was too large was cut when it was taken over; it is whole in its table only)
               OR (NOT v.legacy_row ? 'rushes:cut'
                   AND to_jsonb(t) <> to_jsonb(jsonb_populate_record(NULL::%1$s, v.legacy_row)))
        ) AS k
        WHERE NOT EXISTS (SELECT FROM rushes_legacy.written AS w WHERE w.legacy_table = %5$L AND w.legacy_id = k.id)
        LIMIT $1
    $compare$, source, key, places[1], places[2], name) USING most;
END
$$;

-- Access -------------------------------------------------------------------------------------------

DO $$
DECLARE
    ours regclass;
BEGIN
    FOREACH ours IN ARRAY ARRAY['rushes_legacy.written', 'rushes_legacy.claims', 'rushes_legacy.unsettled']::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', ours);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', ours);
        EXECUTE format('CREATE POLICY service ON %s TO service_role USING (true) WITH CHECK (true)', ours);
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, anon, authenticated, service_role', ours);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO service_role', ours);
    END LOOP;
END
$$;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA rushes_legacy FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rushes_legacy FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rushes_legacy TO service_role;
