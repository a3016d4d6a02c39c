-- Open the breaker: nothing is claimed for it for so long, and then one job is tried.
UPDATE public.comfy_servers
SET failures = greatest(failures, 3),
    open_until = greatest(open_until, now() + make_interval(secs => %(seconds)s)),
    last_error = %(error)s, last_error_at = now()
WHERE id = %(server_id)s
