INSERT INTO public.comfy_servers (url, name, slots, source)
VALUES (%(url)s, %(name)s, %(slots)s, 'admin')
ON CONFLICT (url) DO NOTHING
RETURNING id
