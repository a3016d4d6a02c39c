SELECT rushes.claim_account(%(id)s, %(email)s)
