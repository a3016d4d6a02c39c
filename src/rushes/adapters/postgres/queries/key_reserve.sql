-- Take an Idempotency-Key. One that was taken over a minute ago and led to no job is free again:
-- the process that held it is gone.
WITH taken AS (
    INSERT INTO public.idempotency AS i (user_id, key, body_sha256)
    VALUES (%(user_id)s, %(key)s, %(body_sha256)s)
    ON CONFLICT (user_id, key) DO UPDATE
    SET created_at = now(), body_sha256 = excluded.body_sha256
    WHERE i.job_id IS NULL AND i.created_at < now() - interval '1 minute'
    RETURNING true AS ours
)
SELECT coalesce((SELECT ours FROM taken), false) AS ours, i.body_sha256, i.job_id
FROM (SELECT 1) AS one
LEFT JOIN public.idempotency AS i ON i.user_id = %(user_id)s AND i.key = %(key)s
