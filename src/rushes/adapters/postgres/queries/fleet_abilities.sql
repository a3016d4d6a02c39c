SELECT server_id, able, missing, catalog FROM public.comfy_server_abilities WHERE requires = %(digest)s
