-- The cursor of now: all that is committed.
SELECT pg_current_snapshot()::text AS snapshot
