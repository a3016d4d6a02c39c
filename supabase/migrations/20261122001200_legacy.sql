-- Taking over old tables (rushes legacy …): what changed meanwhile, how far each step is, what it did.
-- Nothing here is for people or the API: the schema is granted to the service role alone.

CREATE SCHEMA rushes_legacy;

-- Appended to by triggers on the old tables while `migrate` runs; each line is gone once its row was followed.
CREATE TABLE rushes_legacy.changes (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    legacy_table    text NOT NULL,
    legacy_id       text NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How far a step is with a table; written in the same transaction as the batch.
CREATE TABLE rushes_legacy.progress (
    step            text NOT NULL,
    legacy_table    text NOT NULL,
    last_id         text,
    rows_done       bigint NOT NULL DEFAULT 0,
    finished_at     timestamptz,
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (step, legacy_table)
);

-- What each step did.
CREATE TABLE rushes_legacy.log (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    step            text NOT NULL,
    event           text NOT NULL,
    details         jsonb NOT NULL DEFAULT '{}'
);

-- What the operator decided for `migrate`; what follows later (drain, the views) keeps to it.
CREATE TABLE rushes_legacy.choices (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- what had not ended and was made before, never will
    stale_before    timestamptz NOT NULL DEFAULT '-infinity',
    stale_after     interval NOT NULL DEFAULT interval '24 hours',
    -- of jobs without an owner
    visibility      text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'team', 'public'))
);
INSERT INTO rushes_legacy.choices DEFAULT VALUES;

-- The operator's mapping of rows to people (--owner-map).
CREATE TABLE rushes_legacy.owners (
    legacy_table    text NOT NULL,
    legacy_id       text NOT NULL,
    user_id         uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    PRIMARY KEY (legacy_table, legacy_id)
);
CREATE INDEX owners_user ON rushes_legacy.owners (user_id);

-- The prompt ids of style_transfers: not unique there, but job_id is.
CREATE TABLE rushes_legacy.style_prompts (
    legacy_id       text PRIMARY KEY,
    prompt_id       text NOT NULL
);
CREATE INDEX style_prompts_prompt ON rushes_legacy.style_prompts (prompt_id);

-- Every file that a row names: fetched, or why not. `slot` is its place in the row: a column, or an item's id.
CREATE TABLE rushes_legacy.files (
    legacy_table    text NOT NULL,
    legacy_id       text NOT NULL,
    slot            text NOT NULL,
    -- what the slot said when it was fetched: a row that says something else now has another file
    source          text NOT NULL,
    state           text NOT NULL CHECK (state IN ('stored', 'failed')),
    file            jsonb,
    reason          text,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (legacy_table, legacy_id, slot)
);

-- The untouched source rows, as workflow_jobs has them; granted to no person.
ALTER TABLE public.caption_datasets ADD COLUMN legacy_row jsonb;
ALTER TABLE public.caption_dataset_items ADD COLUMN legacy_row jsonb;

REVOKE ALL ON SCHEMA rushes_legacy FROM PUBLIC, anon, authenticated;
REVOKE ALL ON ALL TABLES IN SCHEMA rushes_legacy FROM PUBLIC, anon, authenticated;
GRANT USAGE ON SCHEMA rushes_legacy TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rushes_legacy TO service_role;

DO $$
DECLARE
    ours regclass;
BEGIN
    FOR ours IN SELECT c.oid FROM pg_catalog.pg_class AS c
                WHERE c.relnamespace = 'rushes_legacy'::regnamespace AND c.relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', ours);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', ours);
        EXECUTE format('CREATE POLICY service ON %s TO service_role USING (true) WITH CHECK (true)', ours);
    END LOOP;
END
$$;
