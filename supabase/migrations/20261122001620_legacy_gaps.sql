-- More gaps of a takeover: rows that never ended, values that were cut, rows that come after phase 1.

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
