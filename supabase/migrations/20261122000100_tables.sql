-- The tables. Rules (triggers), indexes and row level security follow in files of their own.
-- Only what PostgreSQL 15 to 18 share, and no extension.

DO $$
BEGIN
    IF current_setting('server_version_num')::integer < 150000 THEN
        RAISE EXCEPTION 'Rushes needs PostgreSQL 15 or newer; this server is %.', current_setting('server_version')
            USING HINT = 'Upgrade the server, or use the embedded one (leave RUSHES_DATABASE_URL unset).';
    END IF;
    -- Row level security is forced on every table: without this, our own functions would see nothing.
    IF NOT (SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user)
        AND NOT pg_catalog.pg_has_role(current_user, 'service_role', 'USAGE') THEN
        RAISE EXCEPTION 'The role % must be a member of service_role to own the schema.', current_user
            USING HINT = format('Run as an administrator: GRANT anon, authenticated, service_role TO %I;', current_user);
    END IF;
END
$$;

CREATE TABLE public.workflow_jobs (
    -- identity
    id                          uuid PRIMARY KEY,
    job_id                      text NOT NULL UNIQUE,
    user_id                     uuid REFERENCES auth.users (id) ON DELETE CASCADE,
    -- workflow
    workflow_type               text NOT NULL,
    workflow_name               text NOT NULL,
    workflow_version            text,
    -- status
    status                      text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    version                     bigint NOT NULL DEFAULT 1,
    -- times
    created_at                  timestamptz NOT NULL DEFAULT now(),
    updated_at                  timestamptz NOT NULL DEFAULT now(),
    started_at                  timestamptz,
    completed_at                timestamptz,
    processing_time_seconds     integer CHECK (processing_time_seconds >= 0),
    -- content
    inputs                      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(inputs) = 'object'),
    outputs                     jsonb CHECK (jsonb_typeof(outputs) = 'object'),
    result_urls                 jsonb NOT NULL DEFAULT '[]'
        CHECK (jsonb_typeof(result_urls) = 'array' AND NOT result_urls @> '[null]'),
    prompt_text                 text,
    -- ComfyUI
    comfy_url                   text,
    comfyui_output_filename     text,
    comfyui_output_subfolder    text,
    comfyui_output_type         text,
    -- error
    error_message               text,
    error_code                  text,
    error_details               jsonb,
    -- queue
    priority                    smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 15),
    fair_start                  bigint NOT NULL DEFAULT 0,
    available_at                timestamptz NOT NULL DEFAULT now(),
    deadline_at                 timestamptz,
    attempt                     smallint NOT NULL DEFAULT 0,
    max_attempts                smallint NOT NULL DEFAULT 3,
    cancel_requested_at         timestamptz,
    waiting_reason              text,
    batch_id                    uuid,
    -- people
    visibility                  text NOT NULL DEFAULT 'private'
        CHECK (visibility IN ('private', 'team', 'public')),
    title                       text CHECK (length(title) <= 300),
    rating                      smallint CHECK (rating BETWEEN 0 AND 5),
    tags                        text[] NOT NULL DEFAULT '{}'
        CHECK (cardinality(tags) <= 50 AND array_position(tags, NULL) IS NULL AND length(tags::text) <= 4000),
    parent_id                   uuid,
    deleted_at                  timestamptz,
    expires_at                  timestamptz,
    idempotency_key             text,
    user_ip                     text,
    model_used                  text,
    metadata                    jsonb NOT NULL DEFAULT '{}',
    -- legacy
    origin                      text NOT NULL DEFAULT 'rushes' CHECK (origin IN ('rushes', 'legacy')),
    legacy_table                text,
    legacy_id                   text,
    legacy_row                  jsonb,
    UNIQUE (legacy_table, legacy_id),
    CHECK (comfy_url IS NOT NULL OR origin = 'legacy' OR status <> 'processing')
);

-- The lease and the progress change often, so they live apart: updates of this table stay HOT.
CREATE TABLE public.workflow_job_leases (
    job_id          uuid PRIMARY KEY REFERENCES public.workflow_jobs (id) ON DELETE CASCADE,
    lease_token     bigint NOT NULL,
    owner           text NOT NULL,
    server_id       uuid NOT NULL,
    -- false once ComfyUI is done with it: storing the results doesn't keep the server from its next job
    occupies_server boolean NOT NULL DEFAULT true,
    expires_at      timestamptz NOT NULL,
    progress        jsonb,
    progress_at     timestamptz
) WITH (fillfactor = 50);

-- Every claim and every take-over draws a new token, over all jobs and for ever.
CREATE SEQUENCE public.workflow_job_lease_tokens AS bigint;

CREATE TABLE public.workflow_job_attempts (
    job_id          uuid NOT NULL REFERENCES public.workflow_jobs (id) ON DELETE CASCADE,
    number          smallint NOT NULL,
    prompt_id       text NOT NULL,
    server_id       uuid,
    comfy_url       text,
    owner           text,
    started_at      timestamptz NOT NULL DEFAULT now(),
    submitted_at    timestamptz,
    ended_at        timestamptz,
    outcome         text CHECK (outcome IN ('completed', 'failed', 'cancelled', 'retried', 'released')),
    error_code      text,
    error_message   text,
    PRIMARY KEY (job_id, number)
);

-- Append-only. A serial number isn't commit order: readers stop at pg_snapshot_xmin and page by (xid, id).
CREATE TABLE public.workflow_job_events (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid             xid8 NOT NULL DEFAULT pg_current_xact_id(),
    job_id          uuid NOT NULL REFERENCES public.workflow_jobs (id) ON DELETE CASCADE,
    kind            text NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    data            jsonb NOT NULL DEFAULT '{}'
);

-- The exact graph sent to ComfyUI, kept apart so that feed rows stay narrow.
CREATE TABLE public.workflow_prompts (
    job_id          uuid PRIMARY KEY REFERENCES public.workflow_jobs (id) ON DELETE CASCADE,
    attempt         smallint NOT NULL,
    prompt_id       text NOT NULL,
    graph           jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.comfy_servers (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    url             text NOT NULL UNIQUE,
    name            text NOT NULL,
    source          text NOT NULL DEFAULT 'settings' CHECK (source IN ('settings', 'demo', 'admin')),
    enabled         boolean NOT NULL DEFAULT true,
    draining        boolean NOT NULL DEFAULT false,
    slots           smallint NOT NULL DEFAULT 1 CHECK (slots BETWEEN 1 AND 16),
    state           text NOT NULL DEFAULT 'unknown' CHECK (state IN ('unknown', 'up', 'down')),
    last_seen_at    timestamptz,
    checked_at      timestamptz,
    version         text,
    devices         jsonb NOT NULL DEFAULT '[]',
    warm_workflow   text,
    jobs_completed  bigint NOT NULL DEFAULT 0,
    jobs_failed     bigint NOT NULL DEFAULT 0,
    last_error      text,
    last_error_at   timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now()
);

-- Which dispatcher processes live (a row is refreshed every few seconds).
CREATE TABLE public.dispatchers (
    id              text PRIMARY KEY,
    host            text NOT NULL,
    started_at      timestamptz NOT NULL DEFAULT now(),
    seen_at         timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.uploads (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    filename        text NOT NULL,
    key             text NOT NULL UNIQUE,
    status          text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'stored')),
    declared_type   text,
    content_type    text,
    size_bytes      bigint NOT NULL CHECK (size_bytes > 0),
    sha256          text,
    width           integer,
    height          integer,
    duration_seconds double precision,
    fps             double precision,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL DEFAULT now() + interval '24 hours'
);

CREATE TABLE public.caption_datasets (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job_id          uuid REFERENCES public.workflow_jobs (id) ON DELETE SET NULL,
    user_id         uuid REFERENCES auth.users (id) ON DELETE CASCADE,
    visibility      text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'team', 'public')),
    name            text NOT NULL,
    settings        jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz,
    legacy_id       text UNIQUE
);

CREATE TABLE public.caption_dataset_items (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    dataset_id      uuid NOT NULL REFERENCES public.caption_datasets (id) ON DELETE CASCADE,
    position        integer NOT NULL,
    image           jsonb NOT NULL,
    caption         text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    legacy_id       text UNIQUE,
    UNIQUE (dataset_id, position) DEFERRABLE INITIALLY IMMEDIATE
);

CREATE TABLE public.api_keys (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    name            text NOT NULL,
    prefix          text NOT NULL,
    sha256          text NOT NULL UNIQUE,
    scopes          text[] NOT NULL DEFAULT '{read,submit}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_used_at    timestamptz,
    expires_at      timestamptz,
    revoked_at      timestamptz
);

CREATE TABLE public.idempotency (
    user_id         uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    key             text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    body_sha256     text NOT NULL,
    job_id          uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);

-- NULL means: the installation's setting.
CREATE TABLE public.user_limits (
    user_id         uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    bytes_stored    bigint,
    jobs_per_day    integer,
    jobs_waiting    integer,
    jobs_running    integer,
    upload_bytes    bigint,
    updated_at      timestamptz NOT NULL DEFAULT now()
);

-- What has to happen in the object storage; done and retried until the store confirms.
CREATE TABLE public.storage_outbox (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action          text NOT NULL CHECK (action IN ('delete_prefix', 'delete_keys')),
    target          jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    available_at    timestamptz NOT NULL DEFAULT now(),
    tries           integer NOT NULL DEFAULT 0,
    last_error      text
);
