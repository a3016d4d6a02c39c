DELETE FROM rushes.account_links
WHERE sha256 = %(digest)s AND purpose = %(purpose)s
RETURNING user_id, expires_at > now() AS valid
