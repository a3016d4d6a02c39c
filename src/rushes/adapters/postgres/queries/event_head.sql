-- The cursor of now: all that is committed is before it, and all that is still to commit is after it.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text || '-0' AS cursor
