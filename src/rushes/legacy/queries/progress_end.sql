INSERT INTO rushes_legacy.progress (step, legacy_table, finished_at) VALUES (%(step)s, '*', clock_timestamp())
ON CONFLICT (step, legacy_table) DO UPDATE SET finished_at = excluded.finished_at
