-- Uploads whose bytes are here, and where they are.
SELECT u.id, coalesce(u.object_key, u.key) AS key, u.size_bytes, u.expires_at < now() AS old
FROM public.uploads AS u
WHERE u.id > %(after)s AND u.status = 'stored'
ORDER BY u.id
LIMIT %(limit)s
