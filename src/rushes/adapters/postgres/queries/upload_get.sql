SELECT id, user_id, filename, key, size_bytes, status, declared_type, content_type, sha256,
       width, height, duration_seconds, fps, in_parts, object_key
FROM public.uploads
WHERE id = %(id)s AND user_id = %(user_id)s AND expires_at > now()
