SELECT rushes.file_bytes(%(inputs)s)
