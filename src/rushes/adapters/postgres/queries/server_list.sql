SELECT id, url, name, slots, enabled, draining, state, version, source
FROM public.comfy_servers
ORDER BY created_at, id
