-- Sizes, keys and hand-made work around the old tables, from the catalog.
SELECT jsonb_build_object(
    'now_micros', (extract(epoch FROM now()) * 1000000)::bigint,
    'server', current_setting('server_version'),
    'is_installation', to_regclass('rushes_legacy.progress') IS NOT NULL,
    'has_objects', to_regclass('storage.objects') IS NOT NULL,
    'has_accounts', to_regclass('auth.users') IS NOT NULL,
    'tables', (
        SELECT coalesce(jsonb_object_agg(c.relname, jsonb_build_object(
            'bytes', pg_total_relation_size(c.oid),
            'has_key', EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary),
            'row_security', c.relrowsecurity,
            'triggers', (SELECT coalesce(jsonb_agg(t.tgname ORDER BY t.tgname), '[]') FROM pg_catalog.pg_trigger AS t
                         WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
            'types', (SELECT jsonb_object_agg(a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)) FROM pg_catalog.pg_attribute AS a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))), '{}')
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
          AND c.relname IN ('multitalk_jobs', 'style_transfers', 'edited_images', 'datasets', 'data')),
    'cut_over', (
        SELECT coalesce(jsonb_agg(c.relname ORDER BY c.relname), '[]') FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = c.oid AND g.tgname = 'legacy_write'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'),
    'copies', (
        SELECT coalesce(jsonb_agg(format('%I.%I', n.nspname, c.relname) ORDER BY 1), '[]') FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
          AND (c.relname ~ '^(multitalk_jobs|style_transfers|edited_images|datasets)_(old|backup|bak|copy|legacy)'
               OR (n.nspname = 'public' AND c.relname = 'unified_jobs'))))
