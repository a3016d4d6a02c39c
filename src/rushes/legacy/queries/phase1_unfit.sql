-- Columns workflow_type, made by hand, that may not take every type: (table, why).
SELECT c.relname::text, CASE
    WHEN t.typcategory <> 'S' OR (a.atttypmod > 0 AND a.atttypmod - 4 < length('character-caption'))
        THEN 'of the type ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
    ELSE 'with the constraint ' || k.conname END
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'workflow_type' AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN LATERAL (
    SELECT min(o.conname) AS conname FROM pg_catalog.pg_constraint AS o
    WHERE o.conrelid = c.oid AND o.contype IN ('c', 'f', 'u', 'p', 'x') AND a.attnum = ANY (o.conkey)) AS k ON true
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND c.relname IN ('multitalk_jobs', 'style_transfers', 'edited_images', 'datasets')
  AND (t.typcategory <> 'S' OR (a.atttypmod > 0 AND a.atttypmod - 4 < length('character-caption')) OR k.conname IS NOT NULL)
ORDER BY 1
