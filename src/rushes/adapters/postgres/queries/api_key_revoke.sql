UPDATE public.api_keys SET revoked_at = coalesce(revoked_at, now())
WHERE id = %(id)s AND (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s)
RETURNING id
