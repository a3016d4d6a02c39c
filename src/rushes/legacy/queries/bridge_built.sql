SELECT c.oid::regclass::text FROM pg_catalog.pg_class AS c
WHERE c.relkind = 'i' AND starts_with(c.relname, 'legacy_bridge_')
ORDER BY 1
