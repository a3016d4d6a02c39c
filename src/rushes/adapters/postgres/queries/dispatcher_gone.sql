DELETE FROM public.dispatchers WHERE id = %(id)s
