INSERT INTO rushes_legacy.progress AS p (step, legacy_table, last_id, rows_done, finished_at)
VALUES (%(step)s, %(name)s, %(last)s, %(done)s, CASE WHEN %(finished)s THEN clock_timestamp() END)
ON CONFLICT (step, legacy_table) DO UPDATE SET
    last_id = excluded.last_id, rows_done = excluded.rows_done, finished_at = excluded.finished_at,
    updated_at = clock_timestamp()
