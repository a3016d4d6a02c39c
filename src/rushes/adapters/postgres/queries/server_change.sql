-- What isn't given stays. Enabling gives a server whose breaker is open a new chance.
UPDATE public.comfy_servers
SET name = coalesce(%(name)s, name),
    slots = coalesce(%(slots)s, slots),
    enabled = coalesce(%(enabled)s, enabled),
    draining = coalesce(%(draining)s, draining),
    failures = CASE WHEN %(enabled)s THEN 0 ELSE failures END,
    open_until = CASE WHEN %(enabled)s THEN NULL ELSE open_until END
WHERE id = %(server_id)s
RETURNING id
