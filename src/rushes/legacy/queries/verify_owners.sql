SELECT o.legacy_id, o.user_id::text FROM rushes_legacy.owners AS o
WHERE o.legacy_table = %(name)s AND o.legacy_id = ANY (%(ids)s::text[])
