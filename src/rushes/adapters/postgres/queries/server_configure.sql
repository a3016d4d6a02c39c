-- The servers that this installation is started with: added, enabled again, or disabled when they are no longer named.
WITH named AS (
    INSERT INTO public.comfy_servers AS s (url, name, source)
    SELECT u.url, u.url, %(source)s FROM unnest(%(urls)s::text[]) AS u (url)
    ON CONFLICT (url) DO UPDATE SET enabled = true, source = excluded.source
    WHERE s.source <> 'admin' AND (NOT s.enabled OR s.source <> excluded.source)
)
UPDATE public.comfy_servers AS s
SET enabled = false
WHERE s.source <> 'admin' AND s.enabled AND NOT (s.url = ANY (%(urls)s::text[]))
