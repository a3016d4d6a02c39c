-- Whether the step has begun, and whether it ended.
SELECT count(*) > 0, count(*) FILTER (WHERE legacy_table = '*') > 0 FROM rushes_legacy.progress WHERE step = %(step)s
