-- All datasets: their items are gone.
INSERT INTO rushes_legacy.changes (legacy_table, legacy_id) SELECT 'datasets', t.id::text FROM {relation} AS t
