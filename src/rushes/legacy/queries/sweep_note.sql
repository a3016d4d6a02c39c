INSERT INTO rushes_legacy.changes (legacy_table, legacy_id) SELECT %(name)s, unnest(%(ids)s::text[])
