-- A table of the old app as it is here: under its own name, which after the cut-over is a view's. The expressions
-- read a row `t`: its size in bytes, and its content, in which values of a row that is too large are cut.
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
), columns AS (
    SELECT a.attname AS name, a.attnum AS place, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
           CASE WHEN t.typcategory = 'S' THEN format('coalesce(octet_length(t.%%I), 0)', a.attname)
                WHEN a.attlen = -1 THEN format('coalesce(pg_column_size(t.%%I), 0)', a.attname) END AS size,
           t.typcategory = 'S' AS is_text
    FROM old
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = old.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
)
SELECT old.relation, old.rows,
       (SELECT c.type FROM columns AS c WHERE c.name = %(key)s),
       (SELECT array_agg(c.name::text ORDER BY c.place) FROM columns AS c),
       coalesce((SELECT string_agg(c.size, ' + ' ORDER BY c.place) FROM columns AS c WHERE c.size IS NOT NULL), '0'),
       (SELECT string_agg(
            CASE WHEN c.is_text THEN format(
                'jsonb_build_object(%%1$L, CASE WHEN octet_length(t.%%1$I) > 1000000 THEN left(t.%%1$I, 1000) ELSE t.%%1$I END)', c.name)
                 ELSE format('jsonb_build_object(%%1$L, t.%%1$I)', c.name) END, ' || ' ORDER BY c.place)
        FROM columns AS c)
FROM old
