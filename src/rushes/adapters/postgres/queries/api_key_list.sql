SELECT coalesce(json_agg(row_to_json(k) ORDER BY k.created_at DESC, k.id DESC), '[]')::text
FROM (
    SELECT id, name, prefix, scopes, created_at, last_used_at, expires_at, revoked_at
    FROM public.api_keys WHERE user_id = %(user_id)s
    ORDER BY created_at DESC, id DESC LIMIT 1000
) AS k
