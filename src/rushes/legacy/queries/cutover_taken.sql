-- Names in legacy_archive that a table, or one of its indexes, would take there.
SELECT DISTINCT a.relname::text FROM pg_catalog.pg_class AS a
JOIN unnest(rushes_legacy.standing('r')) AS n (name) ON true
WHERE a.relnamespace = to_regnamespace('legacy_archive') AND (
    a.relname = n.name
    OR a.relname IN (SELECT x.relname FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
                     WHERE i.indrelid = to_regclass('public.' || n.name)))
ORDER BY 1
