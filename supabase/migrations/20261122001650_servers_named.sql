-- Two dispatchers on two machines, each with its own ComfyUI in its settings, are an ordinary installation. Until now each
-- start disabled whatever it didn't name itself; now a server stays while a process lives that names it.
ALTER TABLE public.dispatchers ADD COLUMN comfy_urls text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN public.dispatchers.comfy_urls IS 'The servers that its settings name.';

CREATE FUNCTION rushes.named_by_others(me text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT coalesce(array_agg(DISTINCT u.url), '{}')
    FROM public.dispatchers AS d CROSS JOIN LATERAL unnest(d.comfy_urls) AS u (url)
    WHERE d.id <> me AND d.seen_at > now() - interval '30 seconds'
$$;

-- A start: its servers are added or enabled again; those that nobody names any more are disabled, and so is the demo
-- server once there is a real one.
CREATE FUNCTION rushes.name_servers(me text, host text, urls text[], source text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    -- one after the other: each must see what the other names
    PERFORM pg_advisory_xact_lock(hashtextextended('rushes:servers', 0));
    INSERT INTO public.dispatchers AS d (id, host, comfy_urls) VALUES (me, name_servers.host, urls)
    ON CONFLICT (id) DO UPDATE SET comfy_urls = excluded.comfy_urls, seen_at = now();
    INSERT INTO public.comfy_servers AS s (url, name, source)
    SELECT u.url, u.url, name_servers.source FROM unnest(urls) AS u (url)
    ON CONFLICT (url) DO UPDATE SET enabled = true, source = excluded.source
    WHERE s.source <> 'admin' AND (NOT s.enabled OR s.source <> excluded.source);
    UPDATE public.comfy_servers AS s
    SET enabled = false
    WHERE s.source <> 'admin' AND s.enabled AND s.url <> ALL (urls)
        AND ((s.source = 'demo' AND name_servers.source <> 'demo') OR s.url <> ALL (rushes.named_by_others(me)));
END
$$;

-- An orderly end: what it alone named is disabled, but only where others go on that name theirs. So settings can be
-- changed process by process, and after the last one has ended everything is as it was.
CREATE FUNCTION rushes.unname_servers(me text) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    mine    text[];
    others  text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('rushes:servers', 0));
    DELETE FROM public.dispatchers AS d WHERE d.id = me RETURNING d.comfy_urls INTO mine;
    others := rushes.named_by_others(me);
    IF others <> '{}' THEN
        UPDATE public.comfy_servers AS s
        SET enabled = false
        WHERE s.source <> 'admin' AND s.enabled AND s.url = ANY (mine) AND s.url <> ALL (others);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION rushes.named_by_others(text), rushes.name_servers(text, text, text[], text),
    rushes.unname_servers(text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION rushes.named_by_others(text), rushes.name_servers(text, text, text[], text),
    rushes.unname_servers(text) TO service_role;
