SELECT rushes.make_account(%(id)s, NULL, true, '{"provider": "anonymous"}')
