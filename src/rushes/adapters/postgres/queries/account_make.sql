SELECT rushes.make_account(%(id)s, %(email)s, false, '{"provider": "email"}')
