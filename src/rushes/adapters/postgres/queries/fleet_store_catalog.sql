WITH kept AS (
    INSERT INTO public.comfy_node_catalogs (digest, nodes) VALUES (%(digest)s, %(nodes)s)
    ON CONFLICT (digest) DO NOTHING
)
UPDATE public.comfy_servers SET catalog = %(digest)s WHERE id = %(server_id)s
