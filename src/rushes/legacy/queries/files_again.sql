SELECT rushes_legacy.take_again(%(name)s, %(ids)s)
