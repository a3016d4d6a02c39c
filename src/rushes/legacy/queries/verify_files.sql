SELECT f.legacy_id, jsonb_object_agg(f.slot, jsonb_build_object('source', f.source, 'file', f.file))
FROM rushes_legacy.files AS f
WHERE f.legacy_table = %(name)s AND f.legacy_id = ANY (%(ids)s::text[]) AND f.state = 'stored'
GROUP BY f.legacy_id
