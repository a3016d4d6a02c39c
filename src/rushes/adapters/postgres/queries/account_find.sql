SELECT id, email, is_anonymous, is_admin, disabled, session_version, ended_sessions FROM rushes.account(%(id)s)
