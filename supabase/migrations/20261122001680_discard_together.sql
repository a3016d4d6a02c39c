-- Two uploads with the same bytes have one object. Discarded by two transactions at once, each still saw the other's
-- row, and the object stayed for good. The second waits for the first now, and then sees that it is the last.
CREATE OR REPLACE FUNCTION rushes.discard_upload_files() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('rushes:object:' || shared.object, 0))
    FROM (
        SELECT DISTINCT coalesce(g.object_key, g.key) AS object FROM gone AS g
        WHERE EXISTS (
            SELECT FROM public.uploads AS u WHERE coalesce(u.object_key, u.key) = coalesce(g.object_key, g.key))
        ORDER BY 1
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
