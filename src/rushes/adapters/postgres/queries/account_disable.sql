INSERT INTO rushes.accounts AS a (user_id, disabled_at)
VALUES (%(id)s, CASE WHEN %(disabled)s THEN now() END)
ON CONFLICT (user_id) DO UPDATE
SET disabled_at = CASE WHEN %(disabled)s THEN coalesce(a.disabled_at, now()) END
