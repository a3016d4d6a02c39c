SELECT id, url, name, slots, enabled, draining, state, version
FROM public.comfy_servers
ORDER BY created_at, id
