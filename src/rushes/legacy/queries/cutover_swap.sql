SELECT rushes_legacy.cut_over(%(role)s, %(anon)s)
