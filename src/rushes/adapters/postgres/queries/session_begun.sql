INSERT INTO rushes.accounts (user_id, last_sign_in_at) VALUES (%(id)s, now())
ON CONFLICT (user_id) DO UPDATE SET last_sign_in_at = now()
