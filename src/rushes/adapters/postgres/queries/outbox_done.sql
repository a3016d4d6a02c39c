DELETE FROM public.storage_outbox WHERE id = %(id)s
