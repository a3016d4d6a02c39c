-- It waits for no disk: what it books comes before it in the log, and what is lost is done again.
WITH lazily AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO rushes_legacy.progress AS p (step, legacy_table, last_id, rows_done, finished_at)
SELECT %(step)s, %(name)s, %(last)s::text, %(done)s, CASE WHEN %(finished)s THEN clock_timestamp() END FROM lazily
ON CONFLICT (step, legacy_table) DO UPDATE SET
    last_id = excluded.last_id, rows_done = excluded.rows_done, finished_at = excluded.finished_at,
    updated_at = clock_timestamp()
