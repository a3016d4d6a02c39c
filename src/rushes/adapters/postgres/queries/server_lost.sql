UPDATE public.comfy_servers
SET state = 'down', checked_at = now(), last_error = %(error)s, last_error_at = now()
WHERE id = %(server_id)s
