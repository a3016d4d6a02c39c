-- The person's own upload that has this key, as row level security shows it.
SELECT row_to_json(u) AS body
FROM (
    SELECT filename, content_type, size_bytes, sha256, width, height, duration_seconds, fps, object_key
    FROM public.uploads
    WHERE key = %(key)s AND status = 'stored'
) AS u
