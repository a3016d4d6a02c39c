SELECT rushes.unname_servers(%(id)s)
