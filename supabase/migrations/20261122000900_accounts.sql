-- Accounts beside auth.users (which is Supabase's where there is one), what each person has stored, and rates.

-- Rows are made when something differs from the default.
CREATE TABLE rushes.accounts (
    user_id         uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    password_hash   text,
    -- tokens of another version are void
    session_version integer NOT NULL DEFAULT 1,
    disabled_at     timestamptz,
    last_sign_in_at timestamptz
);

-- Sessions that were signed out before they expired.
CREATE TABLE rushes.ended_sessions (
    id              text PRIMARY KEY,
    user_id         uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    expires_at      timestamptz NOT NULL
);
CREATE INDEX ended_sessions_owner ON rushes.ended_sessions (user_id);

-- One-time links: to sign in, or to set a password.
CREATE TABLE rushes.account_links (
    sha256          text PRIMARY KEY,
    user_id         uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    purpose         text NOT NULL CHECK (purpose IN ('sign_in', 'password')),
    expires_at      timestamptz NOT NULL
);
CREATE INDEX account_links_owner ON rushes.account_links (user_id);

-- Bytes that one person has stored: uploads, and inputs and outputs of jobs. Kept, so that a check is one row.
CREATE TABLE rushes.user_bytes (
    user_id         uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    bytes           bigint NOT NULL
) WITH (fillfactor = 70);

-- Leaky buckets: `full_until` is when a bucket will have run empty. The key is a digest: no address is kept.
CREATE TABLE rushes.rates (
    key             text PRIMARY KEY,
    full_until      timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX rates_empty ON rushes.rates (full_until);

-- auth.users, through functions: on Supabase the service role may not read it ------------------------

CREATE FUNCTION rushes.account(who uuid)
RETURNS TABLE (
    id uuid, email text, is_anonymous boolean, is_admin boolean, disabled boolean, session_version integer,
    ended_sessions text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = ''
AS $$
BEGIN
    RETURN QUERY
    SELECT u.id, u.email::text, coalesce(u.is_anonymous, false),
           coalesce(u.raw_app_meta_data ->> 'role' = 'admin', false),
           a.disabled_at IS NOT NULL
               OR coalesce((to_jsonb(u) ->> 'banned_until')::timestamptz > now(), false)
               OR to_jsonb(u) ->> 'deleted_at' IS NOT NULL,
           coalesce(a.session_version, 1),
           ARRAY(SELECT e.id FROM rushes.ended_sessions AS e WHERE e.user_id = u.id AND e.expires_at > now())
    FROM auth.users AS u
    LEFT JOIN rushes.accounts AS a ON a.user_id = u.id
    WHERE u.id = account.who;
END
$$;

CREATE FUNCTION rushes.account_by_email(address text) RETURNS TABLE (id uuid, password_hash text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = ''
AS $$
BEGIN
    RETURN QUERY
    SELECT u.id, a.password_hash
    FROM auth.users AS u
    LEFT JOIN rushes.accounts AS a ON a.user_id = u.id
    WHERE lower(u.email) = lower(address)
    ORDER BY u.id LIMIT 1;
END
$$;

CREATE FUNCTION rushes.make_account(who uuid, address text, anonymous boolean, metadata jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    INSERT INTO auth.users (id, aud, role, email, is_anonymous, raw_app_meta_data, created_at)
    VALUES (who, 'authenticated', 'authenticated', address, anonymous, metadata, now());
END
$$;

-- The anonymous account gets an e-mail address; false where it has one already.
CREATE FUNCTION rushes.claim_account(who uuid, address text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    UPDATE auth.users AS u
    SET email = address, is_anonymous = false,
        raw_app_meta_data = coalesce(u.raw_app_meta_data, '{}') || '{"provider": "email"}'
    WHERE u.id = who AND u.is_anonymous;
    RETURN FOUND;
END
$$;

-- Only app_metadata makes an administrator, and no other part of it is touched.
CREATE FUNCTION rushes.set_admin(who uuid, admin boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    UPDATE auth.users AS u
    SET raw_app_meta_data = CASE
        WHEN admin THEN coalesce(u.raw_app_meta_data, '{}') || '{"role": "admin"}'
        WHEN u.raw_app_meta_data ->> 'role' = 'admin' THEN u.raw_app_meta_data - 'role'
        ELSE u.raw_app_meta_data END
    WHERE u.id = who;
    RETURN FOUND;
END
$$;

-- A person of the Supabase project whose database this is not: the row that foreign keys need.
CREATE FUNCTION rushes.mirror_account(who uuid, address text, anonymous boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    IF NOT (SELECT pg_catalog.pg_has_role(c.relowner, 'USAGE') FROM pg_catalog.pg_class AS c
            WHERE c.oid = 'auth.users'::regclass) THEN
        RETURN false;
    END IF;
    INSERT INTO auth.users (id, aud, role, email, is_anonymous, raw_app_meta_data, created_at)
    SELECT who, 'authenticated', 'authenticated',
           CASE WHEN NOT EXISTS (SELECT FROM auth.users AS u WHERE lower(u.email) = lower(address)) THEN address END,
           anonymous, '{"provider": "supabase"}', now()
    ON CONFLICT DO NOTHING;
    RETURN true;
END
$$;

-- The oldest administrator: whom the command line works as where accounts are Supabase's.
CREATE FUNCTION rushes.first_admin() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    RETURN (
        SELECT u.id FROM auth.users AS u
        WHERE u.raw_app_meta_data ->> 'role' = 'admin'
        ORDER BY u.created_at, u.id LIMIT 1);
END
$$;

-- People, newest first, after the one that is named.
CREATE FUNCTION rushes.people(words text, after uuid, most integer)
RETURNS TABLE (
    id uuid, email text, is_anonymous boolean, is_admin boolean, created_at timestamptz, disabled_at timestamptz,
    last_sign_in_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = ''
AS $$
DECLARE
    came timestamptz;
BEGIN
    IF after IS NOT NULL THEN
        SELECT coalesce(u.created_at, '-infinity') INTO came FROM auth.users AS u WHERE u.id = after;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = 'The account of the cursor is gone.';
        END IF;
    END IF;
    RETURN QUERY
    SELECT u.id, u.email::text, coalesce(u.is_anonymous, false),
           coalesce(u.raw_app_meta_data ->> 'role' = 'admin', false), u.created_at, a.disabled_at,
           coalesce(a.last_sign_in_at, (to_jsonb(u) ->> 'last_sign_in_at')::timestamptz)
    FROM auth.users AS u
    LEFT JOIN rushes.accounts AS a ON a.user_id = u.id
    WHERE (after IS NULL OR (coalesce(u.created_at, '-infinity'), u.id) < (came, after))
      AND (words IS NULL OR strpos(lower(u.email), lower(words)) > 0 OR u.id::text = words)
    ORDER BY coalesce(u.created_at, '-infinity') DESC, u.id DESC
    LIMIT most;
END
$$;

-- Bytes --------------------------------------------------------------------------------------------

-- The sizes of all files that inputs or outputs name.
CREATE FUNCTION rushes.file_bytes(content jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = ''
AS $$
    SELECT coalesce(sum(greatest(0, (size #>> '{}')::numeric)), 0)::bigint
    FROM jsonb_path_query(content,
        'strict $.** ? (@.key.type() == "string" && @.size_bytes.type() == "number").size_bytes', '{}', true) AS size
$$;

CREATE FUNCTION rushes.add_bytes(who uuid, amount bigint) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    IF amount > 0 THEN
        INSERT INTO rushes.user_bytes AS b (user_id, bytes) VALUES (who, amount)
        ON CONFLICT (user_id) DO UPDATE SET bytes = b.bytes + amount;
    ELSIF amount < 0 THEN
        UPDATE rushes.user_bytes AS b SET bytes = greatest(0, b.bytes + amount) WHERE b.user_id = who;
    END IF;
END
$$;

CREATE FUNCTION rushes.count_job_bytes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    PERFORM rushes.add_bytes(NEW.user_id, rushes.file_bytes(NEW.inputs) + rushes.file_bytes(NEW.outputs)
        - CASE WHEN TG_OP = 'UPDATE' THEN rushes.file_bytes(OLD.inputs) + rushes.file_bytes(OLD.outputs) ELSE 0 END);
    RETURN NULL;
END
$$;

CREATE FUNCTION rushes.count_upload_bytes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    PERFORM rushes.add_bytes(NEW.user_id, NEW.size_bytes - CASE WHEN TG_OP = 'UPDATE' THEN OLD.size_bytes ELSE 0 END);
    RETURN NULL;
END
$$;

-- By person, in one order, so that two big deletes never wait for each other. With an account its row here goes
-- too, perhaps first: so nothing is inserted.
CREATE FUNCTION rushes.uncount_job_bytes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    freed record;
BEGIN
    FOR freed IN
        SELECT g.user_id, sum(rushes.file_bytes(g.inputs) + rushes.file_bytes(g.outputs))::bigint AS bytes
        FROM gone AS g WHERE g.origin = 'rushes' AND g.user_id IS NOT NULL
        GROUP BY g.user_id ORDER BY g.user_id
    LOOP
        PERFORM rushes.add_bytes(freed.user_id, -freed.bytes);
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION rushes.uncount_upload_bytes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    freed record;
BEGIN
    FOR freed IN
        SELECT g.user_id, sum(g.size_bytes)::bigint AS bytes FROM gone AS g GROUP BY g.user_id ORDER BY g.user_id
    LOOP
        PERFORM rushes.add_bytes(freed.user_id, -freed.bytes);
    END LOOP;
    RETURN NULL;
END
$$;

INSERT INTO rushes.user_bytes (user_id, bytes)
SELECT had.user_id, sum(had.bytes)::bigint
FROM (
    SELECT j.user_id, rushes.file_bytes(j.inputs) + rushes.file_bytes(j.outputs) AS bytes
    FROM public.workflow_jobs AS j WHERE j.origin = 'rushes' AND j.user_id IS NOT NULL
    UNION ALL
    SELECT u.user_id, u.size_bytes FROM public.uploads AS u
) AS had
GROUP BY had.user_id HAVING sum(had.bytes) > 0;

CREATE TRIGGER count_bytes AFTER INSERT ON public.workflow_jobs
    FOR EACH ROW WHEN (NEW.origin = 'rushes' AND NEW.user_id IS NOT NULL) EXECUTE FUNCTION rushes.count_job_bytes();
CREATE TRIGGER recount_bytes AFTER UPDATE ON public.workflow_jobs
    FOR EACH ROW WHEN (
        NEW.origin = 'rushes' AND NEW.user_id IS NOT NULL
        AND (OLD.inputs, OLD.outputs) IS DISTINCT FROM (NEW.inputs, NEW.outputs))
    EXECUTE FUNCTION rushes.count_job_bytes();
CREATE TRIGGER uncount_bytes AFTER DELETE ON public.workflow_jobs
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION rushes.uncount_job_bytes();
CREATE TRIGGER count_bytes AFTER INSERT ON public.uploads
    FOR EACH ROW EXECUTE FUNCTION rushes.count_upload_bytes();
CREATE TRIGGER recount_bytes AFTER UPDATE ON public.uploads
    FOR EACH ROW WHEN (OLD.size_bytes <> NEW.size_bytes) EXECUTE FUNCTION rushes.count_upload_bytes();
CREATE TRIGGER uncount_bytes AFTER DELETE ON public.uploads
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION rushes.uncount_upload_bytes();

-- The local administrator has no limit, and this one is new.
UPDATE public.user_limits SET bytes_stored = 9007199254740991
WHERE bytes_stored IS NULL AND jobs_running = 1000000 AND jobs_waiting = 1000000 AND jobs_per_day = 1000000;

-- Rates --------------------------------------------------------------------------------------------

-- Pours one drop into each bucket, or into none: then the seconds until it fits. Of a bucket, `burst` drops fit in,
-- and one runs out every `spacing` seconds. The rows' locks, taken in one order, keep processes apart.
CREATE FUNCTION rushes.take_rates(keys text[], bursts integer[], spacings double precision[]) RETURNS double precision
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
DECLARE
    one record;
    level timestamptz;
    patience double precision := 0;
BEGIN
    FOR one IN SELECT * FROM unnest(keys, bursts, spacings) AS u (key, burst, spacing) ORDER BY u.key LOOP
        INSERT INTO rushes.rates AS r (key, full_until) VALUES (one.key, clock_timestamp())
        ON CONFLICT (key) DO UPDATE SET full_until = greatest(r.full_until, clock_timestamp())
        RETURNING r.full_until INTO level;
        patience := greatest(patience,
            extract(epoch FROM level - clock_timestamp()) - (one.burst - 1) * one.spacing);
    END LOOP;
    IF patience > 0 THEN
        RETURN patience;
    END IF;
    UPDATE rushes.rates AS r SET full_until = r.full_until + make_interval(secs => u.spacing)
    FROM unnest(keys, bursts, spacings) AS u (key, burst, spacing) WHERE r.key = u.key;
    IF random() < 0.01 THEN
        DELETE FROM rushes.rates AS r WHERE r.key IN (
            SELECT old.key FROM rushes.rates AS old
            WHERE old.full_until < now() - interval '1 minute' LIMIT 500 FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN 0;
END
$$;

-- Access -------------------------------------------------------------------------------------------

REVOKE ALL ON rushes.accounts, rushes.ended_sessions, rushes.account_links, rushes.user_bytes, rushes.rates
FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    rushes.accounts, rushes.ended_sessions, rushes.account_links, rushes.user_bytes, rushes.rates
TO service_role;
REVOKE ALL ON FUNCTION
    rushes.account(uuid), rushes.account_by_email(text), rushes.make_account(uuid, text, boolean, jsonb),
    rushes.claim_account(uuid, text), rushes.set_admin(uuid, boolean), rushes.mirror_account(uuid, text, boolean),
    rushes.first_admin(), rushes.people(text, uuid, integer), rushes.file_bytes(jsonb), rushes.add_bytes(uuid, bigint),
    rushes.count_job_bytes(), rushes.count_upload_bytes(), rushes.uncount_job_bytes(), rushes.uncount_upload_bytes(),
    rushes.take_rates(text[], integer[], double precision[])
FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION
    rushes.account(uuid), rushes.account_by_email(text), rushes.make_account(uuid, text, boolean, jsonb),
    rushes.claim_account(uuid, text), rushes.set_admin(uuid, boolean), rushes.mirror_account(uuid, text, boolean),
    rushes.first_admin(), rushes.people(text, uuid, integer), rushes.file_bytes(jsonb),
    rushes.take_rates(text[], integer[], double precision[])
TO service_role;

DO $$
DECLARE
    ours regclass;
BEGIN
    FOREACH ours IN ARRAY ARRAY[
        'rushes.accounts', 'rushes.ended_sessions', 'rushes.account_links', 'rushes.user_bytes',
        'rushes.rates']::regclass[]
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', ours);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', ours);
        EXECUTE format('CREATE POLICY service ON %s TO service_role USING (true) WITH CHECK (true)', ours);
    END LOOP;
END
$$;
