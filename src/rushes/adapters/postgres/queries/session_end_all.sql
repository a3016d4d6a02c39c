WITH over AS (DELETE FROM rushes.ended_sessions WHERE user_id = %(id)s)
INSERT INTO rushes.accounts AS a (user_id, session_version) VALUES (%(id)s, 2)
ON CONFLICT (user_id) DO UPDATE SET session_version = a.session_version + 1
