UPDATE public.comfy_servers
SET state = 'up', version = %(version)s, devices = %(devices)s, last_seen_at = now(), checked_at = now()
WHERE id = %(server_id)s
