-- The part of Supabase's schema auth that Rushes uses, made where it is missing. Nothing that exists is changed.
DO $$
BEGIN
    -- a real read of the catalog: it makes this connection forget what it knew before it had the lock
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'auth') THEN
        CREATE SCHEMA auth;
        GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
    END IF;

    IF to_regclass('auth.users') IS NULL THEN
        CREATE TABLE auth.users (
            id                  uuid PRIMARY KEY,
            aud                 text,
            role                text,
            email               text,
            encrypted_password  text,
            email_confirmed_at  timestamptz,
            last_sign_in_at     timestamptz,
            raw_app_meta_data   jsonb NOT NULL DEFAULT '{}',
            raw_user_meta_data  jsonb NOT NULL DEFAULT '{}',
            is_anonymous        boolean NOT NULL DEFAULT false,
            banned_until        timestamptz,
            created_at          timestamptz NOT NULL DEFAULT now(),
            updated_at          timestamptz NOT NULL DEFAULT now(),
            deleted_at          timestamptz
        );
        CREATE UNIQUE INDEX users_email_key ON auth.users (lower(email));
        ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
        ALTER TABLE auth.users FORCE ROW LEVEL SECURITY;
        CREATE POLICY service ON auth.users TO service_role USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE ON auth.users TO service_role;
    END IF;

    IF to_regprocedure('auth.jwt()') IS NULL THEN
        CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE
        AS 'SELECT nullif(current_setting(''request.jwt.claims'', true), '''')::jsonb';
    END IF;
    IF to_regprocedure('auth.uid()') IS NULL THEN
        CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE
        AS 'SELECT (nullif(current_setting(''request.jwt.claims'', true), '''')::jsonb ->> ''sub'')::uuid';
    END IF;
    IF to_regprocedure('auth.role()') IS NULL THEN
        CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE
        AS 'SELECT nullif(current_setting(''request.jwt.claims'', true), '''')::jsonb ->> ''role''';
    END IF;
END
$$;
