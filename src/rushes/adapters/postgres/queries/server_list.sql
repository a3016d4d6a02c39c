SELECT id, url, name, slots, enabled, draining, state, version, source, catalog
FROM public.comfy_servers
ORDER BY created_at, id
