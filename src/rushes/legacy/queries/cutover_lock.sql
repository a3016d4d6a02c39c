SELECT rushes_legacy.lock_tables()
