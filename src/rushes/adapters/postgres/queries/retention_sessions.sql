-- Sessions that were ended, and links, that would be void by now anyway.
WITH links AS (
    DELETE FROM rushes.account_links WHERE expires_at < %(before)s
)
DELETE FROM rushes.ended_sessions WHERE expires_at < %(before)s
