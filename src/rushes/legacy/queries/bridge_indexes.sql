-- What is still to be built, after what an interrupted build has left behind is taken away: (name, statement).
WITH wanted AS (
    SELECT i.name, i.statement, to_regclass('public.' || quote_ident(i.name)) AS built FROM rushes_legacy.bridge_indexes() AS i
), known AS (
    SELECT w.*, coalesce((SELECT x.indisvalid FROM pg_catalog.pg_index AS x WHERE x.indexrelid = w.built), false) AS valid
    FROM wanted AS w
)
SELECT name, statement FROM (
    SELECT 1 AS step, name, format('DROP INDEX CONCURRENTLY %s', built) AS statement FROM known WHERE built IS NOT NULL AND NOT valid
    UNION ALL
    SELECT 2, name, statement FROM known WHERE NOT valid
) AS steps
ORDER BY step, name
