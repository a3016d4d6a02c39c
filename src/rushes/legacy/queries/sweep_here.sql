-- Notes the jobs of an old table that no row stands behind (any more).
INSERT INTO rushes_legacy.changes (legacy_table, legacy_id)
SELECT j.legacy_table, j.legacy_id FROM public.workflow_jobs AS j
WHERE j.legacy_table = '{name}' AND NOT EXISTS (SELECT FROM {relation} AS t WHERE t.{key}::text = j.legacy_id)
