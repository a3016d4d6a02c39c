-- Views with an old table's name that no cut-over has made.
SELECT c.relname::text FROM pg_catalog.pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('v', 'm', 'f')
  AND c.relname IN ('multitalk_jobs', 'style_transfers', 'edited_images', 'datasets', 'data')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = c.oid AND g.tgname = 'legacy_write')
ORDER BY 1
