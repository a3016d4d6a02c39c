SELECT rushes.set_admin(%(id)s, %(admin)s)
