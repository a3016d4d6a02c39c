-- A project as it is made today, beyond what tests/integration/schema/supabase.sql has: nothing is granted by default,
-- and schema storage is there, in which the customer may make nothing.
ALTER DEFAULT PRIVILEGES FOR ROLE customer IN SCHEMA public REVOKE ALL ON TABLES FROM anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE customer IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE customer IN SCHEMA public REVOKE ALL ON SEQUENCES FROM anon, authenticated, service_role;

CREATE ROLE authenticator LOGIN NOINHERIT PASSWORD 'authenticator';
GRANT anon, authenticated, service_role TO authenticator;
ALTER ROLE anon SET statement_timeout = '3s';
ALTER ROLE authenticated SET statement_timeout = '8s';

CREATE SCHEMA extensions AUTHORIZATION customer;
GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role;
ALTER ROLE customer SET search_path = "$user", public, extensions;

CREATE ROLE supabase_storage_admin NOLOGIN NOINHERIT CREATEROLE;
CREATE SCHEMA storage AUTHORIZATION supabase_storage_admin;
SET ROLE supabase_storage_admin;
CREATE TABLE storage.buckets (id text PRIMARY KEY, name text NOT NULL, public boolean DEFAULT false);
CREATE TABLE storage.objects (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), bucket_id text REFERENCES storage.buckets (id), name text,
    owner_id text, metadata jsonb
);
ALTER TABLE storage.buckets ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA storage TO anon, authenticated, service_role, customer;
GRANT SELECT, INSERT, UPDATE, DELETE ON storage.buckets, storage.objects TO anon, authenticated, service_role, customer;
RESET ROLE;
