-- Who writes the bytes, and until when nobody else may: for one whose time is up, or who is to be taken over from.
UPDATE public.uploads
SET writer = %(writer)s, writing_until = now() + make_interval(secs => %(seconds)s)
WHERE id = %(id)s AND status = 'waiting'
  AND (writer IS NULL OR writer = %(writer)s OR writing_until < now() OR %(over)s)
