-- Tables of ours of which row level security would hide rows from the current role, without an error.
SELECT c.oid::regclass::text
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'
  AND (n.nspname = 'rushes' OR (n.nspname = 'public' AND c.relname = ANY ('{
      workflow_jobs, workflow_job_leases, workflow_job_attempts, workflow_job_events, workflow_prompts, comfy_servers,
      dispatchers, uploads, caption_datasets, caption_dataset_items, api_keys, idempotency, user_limits,
      storage_outbox}'::text[])))
  AND NOT (
      pg_catalog.has_table_privilege(c.oid, 'SELECT')
      AND (NOT pg_catalog.row_security_active(c.oid) OR EXISTS (
          SELECT FROM pg_catalog.pg_policy AS p, unnest(p.polroles) AS granted
          WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polpermissive
            AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true'
            AND (granted = 0 OR pg_catalog.pg_has_role(granted, 'USAGE')))))
ORDER BY 1
