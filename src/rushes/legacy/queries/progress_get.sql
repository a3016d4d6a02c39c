SELECT last_id, rows_done, finished_at IS NOT NULL FROM rushes_legacy.progress
WHERE step = %(step)s AND legacy_table = %(name)s
