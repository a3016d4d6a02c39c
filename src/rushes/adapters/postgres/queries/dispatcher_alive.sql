WITH gone AS (
    DELETE FROM public.dispatchers WHERE seen_at < now() - interval '1 hour'
)
INSERT INTO public.dispatchers (id, host) VALUES (%(id)s, %(host)s)
ON CONFLICT (id) DO UPDATE SET seen_at = now()
