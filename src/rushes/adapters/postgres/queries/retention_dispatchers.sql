DELETE FROM public.dispatchers WHERE seen_at < %(before)s
