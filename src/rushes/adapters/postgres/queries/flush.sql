-- Something to commit: its record is flushed, and all that was written before it.
SELECT pg_current_xact_id()
