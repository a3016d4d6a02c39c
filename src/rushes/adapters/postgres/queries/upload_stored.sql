UPDATE public.uploads
SET status = 'stored', content_type = %(content_type)s, size_bytes = %(size_bytes)s, sha256 = %(sha256)s,
    width = %(width)s, height = %(height)s, duration_seconds = %(duration_seconds)s, fps = %(fps)s
WHERE id = %(id)s
