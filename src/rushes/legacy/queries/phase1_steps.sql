-- What is missing of phase 1, as (what it is, the statement that does it); nothing is missing: no rows.
WITH tables AS (
    SELECT n.name, c.oid AS source, n.place
    FROM unnest(ARRAY['multitalk_jobs', 'style_transfers', 'edited_images', 'datasets']) WITH ORDINALITY AS n (name, place)
    JOIN pg_catalog.pg_class AS c ON c.oid = to_regclass('public.' || n.name) AND c.relkind = 'r'
), columns AS (
    SELECT t.name, t.source, t.place, w.wanted, w.type
    FROM tables AS t, (VALUES ('workflow_type', 'text'), ('user_id', 'uuid')) AS w (wanted, type)
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = t.source AND a.attname = w.wanted AND NOT a.attisdropped)
), relaxed AS (
    SELECT t.name, t.place, a.attname AS wanted
    FROM tables AS t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.source AND a.attnotnull
    WHERE t.name = 'multitalk_jobs' AND a.attname IN ('width', 'height', 'trim_to_audio')
), indexes AS (
    SELECT t.name, t.place, format('idx_%s_%s', t.name, w.wanted) AS index, w.wanted, w.how
    FROM tables AS t
    CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = t.source AND a.attname = 'created_at' AND NOT a.attisdropped) THEN ', created_at DESC' ELSE '' END AS newest) AS n
    CROSS JOIN LATERAL (VALUES
        ('workflow_type', format('(workflow_type%s)', n.newest)),
        ('user_id', format('(user_id%s) WHERE user_id IS NOT NULL', n.newest))) AS w (wanted, how)
), steps AS (
    SELECT 1 AS step, place, format('column %s.%s', name, wanted) AS what,
           format('ALTER TABLE public.%I ADD COLUMN %I %s', name, wanted, type) AS statement
    FROM columns
    UNION ALL
    SELECT 2, place, format('%s.%s may be NULL', name, wanted),
           format('ALTER TABLE public.%I ALTER COLUMN %I DROP NOT NULL', name, wanted)
    FROM relaxed
    UNION ALL
    -- what a build that was stopped has left behind
    SELECT 3, i.place, format('unfinished index %s', i.index), format('DROP INDEX CONCURRENTLY public.%I', i.index)
    FROM indexes AS i JOIN pg_catalog.pg_index AS x ON x.indexrelid = to_regclass('public.' || i.index)
    WHERE NOT x.indisvalid
    UNION ALL
    SELECT 4, i.place, format('index %s', i.index),
           format('CREATE INDEX CONCURRENTLY %I ON public.%I %s', i.index, i.name, i.how)
    FROM indexes AS i
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index AS x
                      WHERE x.indexrelid = to_regclass('public.' || i.index) AND x.indisvalid)
    UNION ALL
    -- rows that the app goes on writing
    SELECT 5, t.place, format('trigger rushes_type on %s', t.name), format(
        'CREATE TRIGGER rushes_type BEFORE INSERT OR UPDATE ON public.%I FOR EACH ROW WHEN (NEW.workflow_type IS NULL) '
        'EXECUTE FUNCTION rushes_legacy.fill_type()', t.name)
    FROM tables AS t
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = t.source AND g.tgname = 'rushes_type')
)
SELECT what, statement FROM steps ORDER BY step, place, statement
