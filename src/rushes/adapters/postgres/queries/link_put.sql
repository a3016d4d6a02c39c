WITH earlier AS (
    DELETE FROM rushes.account_links
    WHERE expires_at < now() OR (%(alone)s AND user_id = %(id)s AND purpose = %(purpose)s)
)
INSERT INTO rushes.account_links (sha256, user_id, purpose, expires_at)
VALUES (%(digest)s, %(id)s, %(purpose)s, now() + make_interval(secs => %(seconds)s))
RETURNING expires_at
