UPDATE public.uploads SET writer = NULL, writing_until = NULL WHERE id = %(id)s AND writer = %(writer)s
