-- What stands under the view's name, and is not ours.
SELECT CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END
FROM pg_catalog.pg_class AS c
WHERE c.oid = to_regclass('public.unified_workflow_jobs') AND rushes_legacy.unified_view() IS NULL
