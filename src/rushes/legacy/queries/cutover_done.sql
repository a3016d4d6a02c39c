-- The views that stand where the old tables were; it needs nothing of ours.
SELECT c.relname FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = c.oid AND g.tgname = 'legacy_write'
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
