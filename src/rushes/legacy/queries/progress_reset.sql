DELETE FROM rushes_legacy.progress WHERE step = %(step)s
