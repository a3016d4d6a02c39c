-- One at a time for each person (user_lock), so that the limit holds.
INSERT INTO public.api_keys AS k (user_id, name, prefix, sha256, scopes, expires_at)
SELECT %(user_id)s, %(name)s, %(prefix)s, %(digest)s, %(scopes)s, %(expires_at)s
WHERE (SELECT count(*) FROM public.api_keys AS o
       WHERE o.user_id = %(user_id)s AND o.revoked_at IS NULL) < %(limit)s
RETURNING json_build_object(
    'id', k.id, 'name', k.name, 'prefix', k.prefix, 'scopes', k.scopes, 'created_at', k.created_at,
    'last_used_at', k.last_used_at, 'expires_at', k.expires_at, 'revoked_at', k.revoked_at)::text
