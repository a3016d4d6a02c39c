-- The roles that a Supabase project has: made where they are missing, left alone where they are.
-- service_role gets no BYPASSRLS: it has a policy of its own on every table.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another process, perhaps in another database, was faster
        END;
    END LOOP;
END
$$;
