INSERT INTO rushes_legacy.files AS f (legacy_table, legacy_id, slot, source, state, file, reason)
VALUES (%(name)s, %(row)s, %(slot)s, %(source)s, %(state)s, %(file)s::text::jsonb, %(reason)s)
ON CONFLICT (legacy_table, legacy_id, slot) DO UPDATE SET
    source = excluded.source, state = excluded.state, file = excluded.file, reason = excluded.reason, at = clock_timestamp()
