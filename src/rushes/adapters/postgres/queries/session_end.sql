-- Those that have expired anyway need no entry.
WITH over AS (DELETE FROM rushes.ended_sessions WHERE user_id = %(id)s AND expires_at < now())
INSERT INTO rushes.ended_sessions (id, user_id, expires_at) VALUES (%(session)s, %(id)s, %(expires_at)s)
ON CONFLICT (id) DO NOTHING
