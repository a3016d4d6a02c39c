-- Two uploads with the same bytes have one object. Discarded by two transactions at once, each still saw the other's
-- row, and the object stayed for good. The second waits for the first now, and then sees that it is the last.
-- Objects share 256 locks: a server has room for some thousands, and somebody may delete a million rows at once.
CREATE OR REPLACE FUNCTION rushes.discard_upload_files() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('rushes:objects'), shared.lock)
    FROM (
        SELECT DISTINCT pg_catalog.hashtext(coalesce(g.object_key, g.key)) & 255 AS lock FROM gone AS g
        WHERE EXISTS (
            SELECT FROM public.uploads AS u WHERE coalesce(u.object_key, u.key) = coalesce(g.object_key, g.key))
        ORDER BY lock
    ) AS shared;
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_keys', jsonb_agg(DISTINCT coalesce(g.object_key, g.key)) FROM gone AS g
    WHERE NOT EXISTS (
        SELECT FROM public.uploads AS u WHERE coalesce(u.object_key, u.key) = coalesce(g.object_key, g.key))
    HAVING count(*) > 0;
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_prefix', to_jsonb(format('uploads/%s/%s-parts/', g.user_id, g.id)) FROM gone AS g WHERE g.in_parts;
    RETURN NULL;
END
$$;
