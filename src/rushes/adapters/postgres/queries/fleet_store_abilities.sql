INSERT INTO public.comfy_server_abilities (server_id, requires, able, missing, catalog)
SELECT * FROM unnest(
    %(servers)s::uuid[], %(needs)s::text[], %(able)s::boolean[], %(missing)s::jsonb[], %(catalogs)s::text[]
) AS v (server_id, requires, able, missing, catalog)
ORDER BY server_id, requires
ON CONFLICT (server_id, requires) DO UPDATE
SET able = excluded.able, missing = excluded.missing, catalog = excluded.catalog
