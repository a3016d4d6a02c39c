-- The use is booked at most once a minute, and nobody waits for somebody else who does it.
WITH used AS (
    UPDATE public.api_keys SET last_used_at = now()
    WHERE id = (
        SELECT k.id FROM public.api_keys AS k
        WHERE k.sha256 = %(digest)s AND k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true)
          AND coalesce(k.last_used_at < now() - interval '1 minute', true)
        FOR UPDATE SKIP LOCKED)
)
SELECT a.id, a.email, a.is_anonymous, a.is_admin, a.disabled, a.session_version, a.ended_sessions, k.scopes
FROM public.api_keys AS k
CROSS JOIN LATERAL rushes.account(k.user_id) AS a
WHERE k.sha256 = %(digest)s AND k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true)
