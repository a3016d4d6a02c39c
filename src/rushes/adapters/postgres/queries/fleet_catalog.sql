SELECT nodes FROM public.comfy_node_catalogs WHERE digest = %(digest)s
