-- The servers of the settings: added, enabled again, or disabled when the settings no longer name them.
WITH named AS (
    INSERT INTO public.comfy_servers AS s (url, name, source)
    SELECT u.url, u.url, 'settings' FROM unnest(%(urls)s::text[]) AS u (url)
    ON CONFLICT (url) DO UPDATE SET enabled = true WHERE s.source = 'settings' AND NOT s.enabled
)
UPDATE public.comfy_servers AS s
SET enabled = false
WHERE s.source = 'settings' AND s.enabled AND NOT (s.url = ANY (%(urls)s::text[]))
