-- Room for a backup, in an installation where nothing has happened yet.
DO $$
DECLARE
    ours text;
BEGIN
    FOR ours IN
        SELECT n.nspname FROM pg_catalog.pg_namespace AS n
        WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'public')
    LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', ours);
    END LOOP;
    DROP SCHEMA public CASCADE;
    CREATE SCHEMA public AUTHORIZATION pg_database_owner;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
END
$$
