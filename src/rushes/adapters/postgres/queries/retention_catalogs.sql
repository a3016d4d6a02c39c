-- Node catalogs that no server has any more. A new one is there a moment before its server says so.
DELETE FROM public.comfy_node_catalogs AS c
WHERE c.created_at < %(before)s AND NOT EXISTS (SELECT FROM public.comfy_servers AS s WHERE s.catalog = c.digest)
