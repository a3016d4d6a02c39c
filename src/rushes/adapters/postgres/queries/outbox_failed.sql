UPDATE public.storage_outbox
SET last_error = %(error)s,
    available_at = now() + least(interval '1 hour', interval '2 seconds' * power(2, least(tries, 12)))
WHERE id = %(id)s
