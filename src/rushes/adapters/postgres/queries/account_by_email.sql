SELECT id, password_hash FROM rushes.account_by_email(%(email)s)
