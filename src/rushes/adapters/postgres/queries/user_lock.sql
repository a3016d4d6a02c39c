-- One submit at a time for each person: limits and the virtual start time are read and written together.
SELECT pg_advisory_xact_lock(hashtextextended('rushes:user:' || %(user_id)s::text, 0))
