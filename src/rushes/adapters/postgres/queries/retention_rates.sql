-- Buckets that ran empty.
DELETE FROM rushes.rates WHERE key IN (
    SELECT r.key FROM rushes.rates AS r
    WHERE r.full_until < %(before)s ORDER BY r.full_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
