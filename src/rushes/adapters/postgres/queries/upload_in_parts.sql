UPDATE public.uploads SET in_parts = true WHERE id = %(id)s
