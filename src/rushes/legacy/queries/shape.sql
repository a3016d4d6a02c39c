-- A table of the old app as it is here: under its own name, which after the cut-over is a view's. The expressions
-- read a row `t`: its size in bytes; whether JSON can hold it as it is; and its content with what is too long cut, and
-- with what JSON can't hold as text ('rushes:cut' names those columns).
WITH old AS (
    SELECT c.oid, c.relkind, format('%%I.%%I', n.nspname, c.relname) AS relation, greatest(c.reltuples, 0)::bigint AS rows
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relname = %(name)s AND (
        (c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'legacy_archive'))
        -- what the old app has written since is nowhere else
        OR (c.relkind = 'v' AND n.nspname = 'public' AND EXISTS (
            SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = c.oid AND g.tgname = 'legacy_write')))
    ORDER BY n.nspname = 'public' DESC LIMIT 1
), typed AS (
    SELECT a.attname AS name, a.attnum AS place, format('t.%%I', a.attname) AS value, a.attlen,
           pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, t.typcategory = 'S' AS is_text,
           coalesce(nullif(t.typbasetype, 0), t.oid) AS base, t.typelem
    FROM old
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = old.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
), sized AS (
    SELECT c.*,
           CASE WHEN c.is_text THEN format('octet_length(%%s)', c.value)
                WHEN c.base = 'json'::regtype THEN format('octet_length(%%s::text)', c.value)
                WHEN c.base = 'bytea'::regtype THEN format('octet_length(%%s) * 2', c.value)
                -- it may be compressed
                WHEN c.attlen = -1 THEN format(
                    'CASE WHEN pg_column_size(%%1$s) > 100000 THEN octet_length(%%1$s::text) ELSE pg_column_size(%%1$s) END', c.value)
           END AS size,
           format(CASE WHEN c.base = 'bytea'::regtype THEN 'substring(%%s FOR 500)::text' ELSE 'left(%%s::text, 1000)' END, c.value) AS short,
           -- json takes what jsonb can't hold: NUL, halves of a character, numbers beyond all measure
           CASE WHEN current_setting('server_version_num')::integer >= 160000
                THEN 'NOT coalesce(pg_input_is_valid(%%1$s::text, ''jsonb''), true)'
                ELSE '(coalesce(%%1$s::text ~ ''\\u(0000|[dD][89a-fA-F])|[eE][+-]?[0-9]{4}|[0-9]{200}'', false) AND ('
                     'regexp_replace(regexp_replace(%%1$s::text, ''\\\\'', '' '', ''g''),'
                     ' ''\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}'', '''', ''g'') ~ ''\\u(0000|[dD][89a-fA-F])'''
                     ' OR regexp_replace(%%1$s::text, ''"([^"\\]|\\.)*"'', '''', ''g'') ~ ''[0-9][eE][+-]?[0-9]{4}|([0-9]{200}){50}''))'
           END AS unholdable
    FROM typed AS c
), columns AS (
    SELECT s.*, l.long, u.strange, concat_ws(' OR ', l.long, u.strange) AS cut
    FROM (SELECT *, greatest(%(least)s::bigint, %(most)s::bigint / count(size) OVER ()) AS part FROM sized) AS s,
    LATERAL (SELECT s.size || ' > ' || s.part) AS l (long),
    LATERAL (SELECT CASE
        WHEN s.base = 'json'::regtype THEN format(s.unholdable, s.value)
        WHEN s.typelem = 'json'::regtype THEN format('EXISTS (SELECT FROM unnest(%%s) AS e (v) WHERE %%s)', s.value, format(s.unholdable, 'e.v'))
    END AS strange) AS u
)
SELECT old.relation, old.rows,
       (SELECT c.type FROM columns AS c WHERE c.name = %(key)s),
       (SELECT array_agg(c.name::text ORDER BY c.place) FROM columns AS c),
       coalesce((SELECT string_agg(format('coalesce(%%s, 0)::bigint', c.size), ' + ' ORDER BY c.place) FROM columns AS c WHERE c.size IS NOT NULL), '0'),
       coalesce((SELECT string_agg(format('NOT (%%s)', c.strange), ' AND ' ORDER BY c.place) FROM columns AS c WHERE c.strange IS NOT NULL), 'true'),
       (SELECT string_agg(
            CASE WHEN c.cut = '' THEN format('jsonb_build_object(%%L, %%s)', c.name, c.value)
                 -- of a short one that JSON can't hold, everything
                 ELSE format('jsonb_build_object(%%1$L, CASE WHEN %%2$s THEN to_jsonb(CASE WHEN %%3$s THEN %%4$s ELSE %%5$s::text END) ELSE to_jsonb(%%5$s) END)',
                             c.name, c.cut, coalesce(c.long, 'false'), c.short, c.value) END, ' || ' ORDER BY c.place)
        || format(' || jsonb_build_object(''rushes:cut'', array_remove(ARRAY[%%s]::text[], NULL))',
                  string_agg(format('CASE WHEN %%s THEN %%L END', c.cut, c.name), ', ' ORDER BY c.place) FILTER (WHERE c.cut <> ''))
        FROM columns AS c),
       old.relkind = 'v'
FROM old
