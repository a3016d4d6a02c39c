-- Lets the user who connects run statements as those roles, and own the functions that need the service role's
-- policies. A superuser may anyway.
DO $$
DECLARE
    wanted text;
    kind text;
    separate boolean := current_setting('server_version_num')::integer >= 160000; -- INHERIT and SET can be granted apart
BEGIN
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        RETURN;
    END IF;
    FOREACH wanted IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
        kind := CASE WHEN separate THEN 'SET' ELSE 'MEMBER' END;
        IF wanted = 'service_role' AND NOT (SELECT rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
            kind := kind || ', USAGE';
        END IF;
        -- of several kinds pg_has_role wants any, so each is asked for
        CONTINUE WHEN (SELECT bool_and(pg_catalog.pg_has_role(current_user, wanted, k))
                       FROM unnest(string_to_array(kind, ', ')) AS k);
        EXECUTE format('GRANT %I TO CURRENT_USER', wanted)
            || CASE WHEN separate THEN ' WITH SET TRUE, INHERIT ' || (wanted = 'service_role')::text ELSE '' END;
    END LOOP;
END
$$;
