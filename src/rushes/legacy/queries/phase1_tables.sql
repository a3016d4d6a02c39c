-- The tables whose rows get a type: name, key, about how many rows, and whether updates stamp updated_at.
SELECT n.name, rushes_legacy.key_column(n.name), greatest(c.reltuples, 0)::bigint,
       EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
               WHERE a.attrelid = c.oid AND a.attname = 'updated_at' AND NOT a.attisdropped)
FROM unnest(ARRAY['multitalk_jobs', 'style_transfers', 'edited_images', 'datasets']) WITH ORDINALITY AS n (name, place)
JOIN pg_catalog.pg_class AS c ON c.oid = to_regclass('public.' || n.name) AND c.relkind = 'r'
ORDER BY n.place
