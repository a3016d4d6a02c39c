SELECT f.legacy_id, f.slot, f.source FROM rushes_legacy.files AS f
WHERE f.legacy_table = %(name)s AND f.legacy_id = ANY (%(ids)s::text[]) AND f.state = 'stored'
