SELECT rushes.mirror_account(%(id)s, %(email)s, %(is_anonymous)s)
