SELECT pg_advisory_xact_lock(hashtextextended('rushes:legacy:drain', 0))
