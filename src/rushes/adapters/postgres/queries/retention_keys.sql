DELETE FROM public.idempotency WHERE (user_id, key) IN (
    SELECT i.user_id, i.key FROM public.idempotency AS i
    WHERE i.created_at < %(before)s ORDER BY i.created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
