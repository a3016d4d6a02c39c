SELECT password_hash FROM rushes.accounts WHERE user_id = %(id)s
