-- What a rollback would lose. A row that is in the table alone was purged among the jobs: it stays where it is.
SELECT id, what FROM rushes_legacy.differences(%(name)s, NULL) WHERE what <> 'only in the table' LIMIT %(most)s
