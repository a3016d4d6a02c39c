SELECT f.legacy_table, f.legacy_id, f.slot, f.file ->> 'key', f.file ->> 'sha256', (f.file ->> 'size_bytes')::bigint,
       'workflows/' || j.workflow_type || '/' || j.id || '/'
FROM rushes_legacy.files AS f
LEFT JOIN public.workflow_jobs AS j ON j.legacy_table = f.legacy_table AND j.legacy_id = f.legacy_id
WHERE f.state = 'stored' AND (f.legacy_table, f.legacy_id, f.slot) > (%(table)s, %(row)s, %(slot)s)
ORDER BY f.legacy_table, f.legacy_id, f.slot LIMIT 500
