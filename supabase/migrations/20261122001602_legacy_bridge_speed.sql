-- Datasets and the bridge, by the rules of the migration before this one.

-- Datasets ----------------------------------------------------------------------------------------------

-- What a dataset has of its items. `ROWS` is large so that it is joined by hash.
CREATE FUNCTION rushes_legacy.sets_of(items rushes_legacy.item[])
RETURNS TABLE (dataset text, first_at timestamptz, images jsonb, texts jsonb, anomalies text[])
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = ''
AS $$
BEGIN
    RETURN QUERY
    SELECT i.dataset, min(i.created_at), jsonb_agg(i.image ORDER BY i.place),
           jsonb_agg(jsonb_build_object('name', 'caption', 'item', i.place, 'text', i.caption) ORDER BY i.place) FILTER (WHERE i.caption IS NOT NULL),
           string_to_array(string_agg(nullif(array_to_string(i.anomalies, ','), ''), ','), ',')
    FROM unnest(items) AS i GROUP BY i.dataset;
END
$$;

-- A key that text sorts by in natural order: 2 before 10.
CREATE OR REPLACE FUNCTION rushes_legacy.natural_key(name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
BEGIN
    RETURN coalesce((
        SELECT string_agg(
            CASE WHEN part[1] IS NULL THEN part[2]
                 ELSE '0' || lpad(length(ltrim(part[1], '0'))::text, 6, '0') || ltrim(part[1], '0') END, E'\x01')
        FROM regexp_matches(name, '([0-9]+)|([^0-9]+)', 'g') AS part), '');
END
$$;

-- A dataset's items, from the old table.
CREATE FUNCTION rushes_legacy.bridge_items(dataset text) RETURNS rushes_legacy.item[]
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    came rushes_legacy.source_row[];
BEGIN
    IF to_regclass('public.data') IS NOT NULL THEN
        EXECUTE $query$SELECT array_agg(ROW('data', t.id::text, to_jsonb(t))::rushes_legacy.source_row) FROM public.data AS t
                       WHERE t.dataset_id = $1::uuid$query$ INTO came USING dataset;
    END IF;
    RETURN ARRAY(SELECT i FROM rushes_legacy.items_of(came) AS i);
END
$$;

-- The bridge ------------------------------------------------------------------------------------------------

-- What an old row that has no job yet will become.
CREATE OR REPLACE FUNCTION rushes_legacy.old_job(name text, id text, content jsonb) RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    RETURN (SELECT o FROM rushes_legacy.old_jobs(ARRAY[ROW(name, id, content)::rushes_legacy.source_row]) AS o);
END
$$;

-- Beside rushes.feed_rows: the newest old rows that pass the filter. What passes is found by reading, portion by
-- portion, so it looks no further than the newest 20,000.
CREATE OR REPLACE FUNCTION rushes.bridge_rows(f rushes.job_filter, everyone boolean, most integer)
RETURNS TABLE (id uuid, workflow_type text, status text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = ''
AS $$
DECLARE
    came rushes_legacy.source_row[];
    m rushes_legacy.reading;
    before uuid := (f).before_id;
    size integer := most;
    looked_at integer := 0;
    found_rows integer := 0;
BEGIN
    IF to_regclass('rushes_legacy.bridge') IS NULL OR (f).trash OR most < 1 THEN
        RETURN;
    ELSIF NOT (rushes.is_admin() AND everyone)
        AND NOT (everyone AND rushes.sees(NULL, (SELECT c.visibility FROM rushes_legacy.choices AS c)))
        AND NOT rushes_legacy.bridge_has_owners() THEN
        RETURN; -- nothing there is theirs to see
    END IF;
    LOOP
        EXECUTE 'SELECT array_agg(ROW(b.legacy_table, b.legacy_id, b.content)::rushes_legacy.source_row), (array_agg(b.id ORDER BY b.id))[1]
                 FROM (SELECT * FROM rushes_legacy.bridge AS b
                       WHERE b.id < coalesce($1, ''ffffffff-ffff-ffff-ffff-ffffffffffff'')
                         AND b.id >= coalesce($2, ''00000000-0000-0000-0000-000000000000'')
                       ORDER BY b.id DESC LIMIT $3) AS b' INTO came, before USING before, (f).from_id, size;
        FOR m IN SELECT * FROM rushes_legacy.old_jobs(came) LOOP
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
        looked_at := looked_at + coalesce(cardinality(came), 0);
        EXIT WHEN found_rows >= most OR looked_at >= 20000 OR coalesce(cardinality(came), 0) < size;
        size := least(greatest(size * 2, 100), 2000);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION rushes.bridge_cards(ids uuid[]) RETURNS TABLE (id uuid, card json)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = ''
AS $$
DECLARE
    came rushes_legacy.source_row[];
    m rushes_legacy.reading;
BEGIN
    IF to_regclass('rushes_legacy.bridge') IS NULL OR cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    EXECUTE 'SELECT array_agg(ROW(b.legacy_table, b.legacy_id, b.content)::rushes_legacy.source_row)
             FROM rushes_legacy.bridge AS b WHERE b.id = ANY ($1)' INTO came USING ids;
    FOR m IN SELECT * FROM rushes_legacy.old_jobs(came) LOOP
        IF rushes.sees(m.user_id, m.visibility) THEN
            id := m.id;
            card := to_json(rushes_legacy.bridge_card(m));
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
