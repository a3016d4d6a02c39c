-- What a view in a table's place can't repeat: (name to accept it by, what it is), and what the app may notice.
WITH tables AS (
    SELECT n.name, c.oid AS source
    FROM unnest(rushes_legacy.names()) AS n (name)
    JOIN pg_catalog.pg_class AS c ON c.oid = to_regclass('public.' || n.name) AND c.relkind IN ('r', 'p')
)
SELECT format('%s.owner', t.name), format('%s belongs to %s: connect as its owner', t.name, o.relowner::regrole)
FROM tables AS t JOIN pg_catalog.pg_class AS o ON o.oid = t.source
WHERE NOT pg_catalog.pg_has_role(current_user, o.relowner, 'USAGE')
UNION ALL
SELECT format('%s.%s', t.name, g.tgname), format('trigger %s on %s: a view can''t run it', g.tgname, t.name)
FROM tables AS t JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = t.source
WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND NOT rushes_legacy.stamps(g.tgfoid)
  AND g.tgfoid NOT IN (SELECT p.oid FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'rushes_legacy'::regnamespace)
UNION ALL
SELECT format('%s.%s', t.name, i.relname), format('unique index %s on %s: a view can''t keep it', i.relname, t.name)
FROM tables AS t
JOIN pg_catalog.pg_index AS x ON x.indrelid = t.source AND x.indisunique AND NOT x.indisprimary
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
UNION ALL
SELECT format('%s.key', t.name), format('the primary key of %s isn''t %s alone', t.name, rushes_legacy.key_column(t.name))
FROM tables AS t
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_index AS x
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.source AND a.attnum = x.indkey[0]
    WHERE x.indrelid = t.source AND x.indisprimary AND x.indnatts = 1 AND a.attname = rushes_legacy.key_column(t.name))
UNION ALL
SELECT format('%s.%s', t.name, f.conname), format('foreign key %s of %s: a view can''t keep it', f.conname, t.name)
FROM tables AS t JOIN pg_catalog.pg_constraint AS f ON f.conrelid = t.source AND f.contype IN ('f', 'x')
WHERE f.contype = 'x' OR f.confdeltype <> 'c' OR cardinality(f.conkey) > 1
   OR f.confrelid NOT IN (SELECT p.source FROM tables AS p WHERE p.name = 'datasets')
UNION ALL
SELECT format('%s.%s', t.name, f.conname),
       format('%s refers to %s by the foreign key %s: it would go on looking at the archived table',
              f.conrelid::regclass, t.name, f.conname)
FROM tables AS t JOIN pg_catalog.pg_constraint AS f ON f.confrelid = t.source AND f.contype = 'f'
WHERE f.conrelid NOT IN (SELECT p.source FROM tables AS p)
UNION ALL
SELECT DISTINCT format('%s.%s', t.name, v.relname),
       format('%s reads %s: it would go on reading the archived table', v.oid::regclass, t.name)
FROM tables AS t
JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.source
    AND d.classid = 'pg_rewrite'::regclass
JOIN pg_catalog.pg_rewrite AS w ON w.oid = d.objid
JOIN pg_catalog.pg_class AS v ON v.oid = w.ev_class AND v.oid <> t.source
WHERE v.relnamespace <> 'rushes_legacy'::regnamespace AND v.oid IS DISTINCT FROM rushes_legacy.unified_view()
UNION ALL
SELECT format('%s.%s', t.name, c.name), format('column %s.%s is computed or counted by the table', t.name, c.name)
FROM tables AS t, LATERAL rushes_legacy.columns_of(t.source) AS c
WHERE c.computed OR c.fallback LIKE 'nextval(%'
UNION ALL
SELECT format('%s.%s', t.name, r.rulename), format('rule %s on %s: a view can''t repeat it', r.rulename, t.name)
FROM tables AS t JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = t.source
UNION ALL
SELECT format('%s.partitions', t.name), format('%s is partitioned or inherited', t.name)
FROM tables AS t
WHERE EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE t.source IN (h.inhrelid, h.inhparent))
UNION ALL
SELECT format('%s.cut', c.legacy_table),
       format('%s rows of %s have values that are too long, or no JSON that jsonb can hold (%s of %s, for instance): a view would show what legacy_row has of them',
              count(*), c.legacy_table, min(c.columns), min(c.legacy_id))
FROM (
    SELECT j.legacy_table, j.legacy_id, j.legacy_row ->> 'rushes:cut' AS columns FROM public.workflow_jobs AS j
    WHERE j.origin = 'legacy' AND j.legacy_row ? 'rushes:cut'
    UNION ALL
    SELECT 'data', i.legacy_id, i.legacy_row ->> 'rushes:cut' FROM public.caption_dataset_items AS i
    WHERE i.legacy_id IS NOT NULL AND i.legacy_row ? 'rushes:cut'
) AS c
GROUP BY c.legacy_table
ORDER BY 1
