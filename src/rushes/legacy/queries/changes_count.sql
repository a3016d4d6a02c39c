-- How many changes have ever been noted.
SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('rushes_legacy.changes', 'id')::regclass), 0)
