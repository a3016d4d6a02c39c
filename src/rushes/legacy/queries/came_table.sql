CREATE TEMP TABLE IF NOT EXISTS came (legacy_table text, legacy_id text, content jsonb) ON COMMIT DELETE ROWS
