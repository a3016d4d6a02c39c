SELECT to_regclass('rushes_legacy.changes') IS NOT NULL
