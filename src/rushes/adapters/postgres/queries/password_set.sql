INSERT INTO rushes.accounts AS a (user_id, password_hash) VALUES (%(id)s, %(password_hash)s)
ON CONFLICT (user_id) DO UPDATE
SET password_hash = excluded.password_hash, session_version = a.session_version + %(end_sessions)s::integer
