SELECT rushes_legacy.let_go(%(name)s, %(ids)s)
