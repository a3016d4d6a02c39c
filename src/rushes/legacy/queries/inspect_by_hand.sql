-- What somebody made by hand that would be in the way: (what, name, and of what kind it is).
WITH ours AS (
    SELECT c.oid, c.relname::text AS name, n.nspname AS place, c.relkind,
           CASE WHEN c.relkind IN ('v', 'm') THEN 'VIEW' ELSE 'TABLE' END AS kind
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname IN ('public', 'legacy_archive')
)
SELECT 'jobs', 'public.workflow_jobs', o.kind FROM ours AS o
WHERE o.place = 'public' AND o.name = 'workflow_jobs' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = o.oid AND a.attname = 'legacy_row')
UNION ALL
SELECT 'unified', 'public.unified_workflow_jobs', o.kind FROM ours AS o
WHERE o.place = 'public' AND o.name = 'unified_workflow_jobs'
  AND coalesce(obj_description(o.oid, 'pg_class'), '') NOT LIKE '%Made by rushes legacy bridge%'
UNION ALL
SELECT 'view', format('public.%I', o.name), o.kind FROM ours AS o
WHERE o.place = 'public' AND o.relkind IN ('v', 'm', 'f')
  AND o.name IN ('multitalk_jobs', 'style_transfers', 'edited_images', 'datasets', 'data')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = o.oid AND g.tgname = 'legacy_write')
UNION ALL
SELECT 'archive', format('legacy_archive.%I', o.name), o.kind FROM ours AS o
WHERE o.place = 'legacy_archive' AND EXISTS (
    SELECT FROM ours AS t WHERE t.place = 'public' AND t.name = o.name AND t.relkind IN ('r', 'p'))
  AND o.name IN ('multitalk_jobs', 'style_transfers', 'edited_images', 'datasets', 'data')
UNION ALL
SELECT 'time', format('public.%I.%I', o.name, a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod)
FROM ours AS o JOIN pg_catalog.pg_attribute AS a ON a.attrelid = o.oid AND NOT a.attisdropped
WHERE o.place = 'public' AND o.relkind IN ('r', 'p') AND a.atttypid <> 'timestamptz'::regtype
  AND o.name IN ('multitalk_jobs', 'style_transfers', 'edited_images', 'datasets', 'data')
  AND a.attname IN ('created_at', 'updated_at', 'timestamp_submitted', 'timestamp_completed')
ORDER BY 1, 2
