-- The servers that a process is started with: added, enabled again, or disabled when nobody names them any more.
SELECT rushes.name_servers(%(by)s, %(host)s, %(urls)s::text[], %(source)s)
