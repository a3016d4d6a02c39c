DELETE FROM public.uploads WHERE id = %(id)s
