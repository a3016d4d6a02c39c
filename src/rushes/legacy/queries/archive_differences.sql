-- What dropping the table would lose.
SELECT id, what FROM rushes_legacy.differences(%(name)s, %(most)s)
