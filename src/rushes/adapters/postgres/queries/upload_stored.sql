-- Where the bytes are kept: under the upload's own key, or where an upload of the person has the same bytes already
-- (with the same ending, which says what they are). Then its own object goes. The lock keeps that upload from being
-- discarded in between.
WITH same AS (
    SELECT coalesce(u.object_key, u.key) AS object_key
    FROM public.uploads AS u
    WHERE u.user_id = %(user_id)s AND u.sha256 = %(sha256)s AND u.status = 'stored' AND u.id <> %(id)s
      AND u.expires_at > now() + interval '1 minute'
      AND lower(substring(u.key FROM '\.[^./]*$')) IS NOT DISTINCT FROM lower(substring(%(key)s FROM '\.[^./]*$'))
    ORDER BY u.created_at, u.id
    LIMIT 1
    FOR SHARE
),
kept AS (
    UPDATE public.uploads
    SET status = 'stored', content_type = %(content_type)s, size_bytes = %(size_bytes)s, sha256 = %(sha256)s,
        width = %(width)s, height = %(height)s, duration_seconds = %(duration_seconds)s, fps = %(fps)s,
        object_key = (SELECT same.object_key FROM same)
    WHERE id = %(id)s AND status = 'waiting'
    RETURNING object_key
),
doubled AS (
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_keys', jsonb_build_array(%(key)s::text) FROM kept WHERE kept.object_key IS NOT NULL
)
SELECT coalesce(object_key, %(key)s) FROM kept
