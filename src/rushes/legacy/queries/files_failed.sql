SELECT f.legacy_table, f.legacy_id, f.slot, f.reason FROM rushes_legacy.files AS f
WHERE f.state = 'failed' ORDER BY f.legacy_table, f.legacy_id, f.slot LIMIT %(most)s
