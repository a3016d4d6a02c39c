-- Batches of old rows become rows here, by the rules of the two migrations before this one.

-- Writing -----------------------------------------------------------------------------------------------------

-- A batch is brought to its rows by their indexes, whatever the planner has heard so far of tables that were empty a
-- minute ago: hence enable_seqscan, here and below.
CREATE FUNCTION rushes_legacy.put_datasets(came rushes_legacy.source_row[], sets rushes_legacy.item[], fresh boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = '' SET enable_seqscan = off
AS $$
BEGIN
    INSERT INTO public.caption_datasets AS d (id, job_id, user_id, visibility, name, settings, created_at, updated_at, legacy_id, legacy_row)
    SELECT j.id, j.id, j.user_id, j.visibility, coalesce(c.content ->> 'name', ''),
           CASE WHEN jsonb_typeof(c.content -> 'settings') = 'object' THEN c.content -> 'settings' ELSE '{}' END
               || jsonb_build_object('character_trigger', c.content -> 'character_trigger'),
           j.created_at, j.updated_at, c.legacy_id, c.content
    FROM unnest(came) AS c
    CROSS JOIN LATERAL (SELECT j.id, j.user_id, j.visibility, j.created_at, j.updated_at FROM public.workflow_jobs AS j
                        WHERE j.legacy_table = 'datasets' AND j.legacy_id = c.legacy_id OFFSET 0) AS j
    WHERE c.legacy_table = 'datasets'
    ON CONFLICT (legacy_id) DO UPDATE SET
        job_id = excluded.job_id, user_id = excluded.user_id, visibility = excluded.visibility, name = excluded.name,
        settings = excluded.settings, created_at = excluded.created_at, updated_at = excluded.updated_at, legacy_row = excluded.legacy_row
    WHERE (d.job_id, d.user_id, d.visibility, d.name, d.settings, d.created_at, d.updated_at, d.legacy_row) IS DISTINCT FROM
          (excluded.job_id, excluded.user_id, excluded.visibility, excluded.name, excluded.settings, excluded.created_at, excluded.updated_at, excluded.legacy_row);

    SET CONSTRAINTS public.caption_dataset_items_dataset_id_position_key DEFERRED;
    IF NOT fresh THEN
        DELETE FROM public.caption_dataset_items AS i
        USING public.caption_datasets AS d
        WHERE d.legacy_id = ANY (ARRAY(SELECT c.legacy_id FROM unnest(came) AS c WHERE c.legacy_table = 'datasets'))
          AND i.dataset_id = d.id AND i.legacy_id IS NOT NULL
          AND (d.legacy_id, i.legacy_id) NOT IN (SELECT x.dataset, x.legacy_id FROM unnest(sets) AS x WHERE x.dataset IS NOT NULL);
    END IF;
    INSERT INTO public.caption_dataset_items AS i (id, dataset_id, position, image, caption, created_at, updated_at, legacy_id, legacy_row)
    SELECT rushes_legacy.id_of('data', x.legacy_id, coalesce(x.created_at, d.created_at)), d.id, x.place, x.image, x.caption,
           coalesce(x.created_at, d.created_at), coalesce(x.created_at, d.created_at), x.legacy_id, x.content
    FROM unnest(sets) AS x
    CROSS JOIN LATERAL (SELECT d.id, d.created_at FROM public.caption_datasets AS d WHERE d.legacy_id = x.dataset OFFSET 0) AS d
    ON CONFLICT (legacy_id) DO UPDATE SET
        id = excluded.id, dataset_id = excluded.dataset_id, position = excluded.position, image = excluded.image,
        caption = excluded.caption, created_at = excluded.created_at, updated_at = excluded.updated_at, legacy_row = excluded.legacy_row
    WHERE (i.id, i.dataset_id, i.position, i.image, i.caption, i.created_at, i.legacy_row) IS DISTINCT FROM
          (excluded.id, excluded.dataset_id, excluded.position, excluded.image, excluded.caption, excluded.created_at, excluded.legacy_row);
    SET CONSTRAINTS public.caption_dataset_items_dataset_id_position_key IMMEDIATE;
END
$$;

-- Prompt ids that several rows have --------------------------------------------------------------------

-- Books the prompt ids of these rows: those that another row may have, and those that another may have now.
CREATE FUNCTION rushes_legacy.book_prompts(came rushes_legacy.source_row[], OUT booked text[], OUT given_up text[])
LANGUAGE plpgsql VOLATILE SET search_path = '' SET enable_seqscan = off
AS $$
BEGIN
    WITH told AS (
        SELECT c.legacy_id, nullif(c.content ->> 'comfyui_prompt_id', '') AS prompt_id
        FROM unnest(came) AS c WHERE c.legacy_table = 'style_transfers'
    ), was AS (
        SELECT s.prompt_id FROM rushes_legacy.style_prompts AS s JOIN told AS t ON t.legacy_id = s.legacy_id
        WHERE s.prompt_id IS DISTINCT FROM t.prompt_id
    ), gone AS (
        DELETE FROM rushes_legacy.style_prompts AS s USING told AS t
        WHERE s.legacy_id = t.legacy_id AND t.prompt_id IS NULL
    ), now_booked AS (
        INSERT INTO rushes_legacy.style_prompts AS s (legacy_id, prompt_id)
        SELECT t.legacy_id, t.prompt_id FROM told AS t WHERE t.prompt_id IS NOT NULL
        ON CONFLICT (legacy_id) DO UPDATE SET prompt_id = excluded.prompt_id WHERE s.prompt_id <> excluded.prompt_id
        RETURNING s.prompt_id
    )
    SELECT ARRAY(SELECT b.prompt_id FROM now_booked AS b
                 UNION SELECT s.prompt_id FROM rushes_legacy.style_prompts AS s
                 JOIN unnest(came) AS c ON c.legacy_table = 'multitalk_jobs' AND c.legacy_id = s.prompt_id),
           ARRAY(SELECT DISTINCT w.prompt_id FROM was AS w)
    INTO booked, given_up;
END
$$;

-- The style rows whose job id depends on these prompt ids: who has one now, and, of what was given up, who is the only
-- one left.
CREATE FUNCTION rushes_legacy.with_prompts(booked text[], given_up text[]) RETURNS rushes_legacy.source_row[]
LANGUAGE sql STABLE SET search_path = '' SET enable_seqscan = off
AS $$
    SELECT coalesce(array_agg(ROW('style_transfers', one.legacy_id, one.legacy_row)::rushes_legacy.source_row), '{}')
    FROM (
        SELECT DISTINCT ON (found.legacy_id) found.legacy_id, found.legacy_row FROM (
            SELECT o.legacy_table, o.legacy_id, o.legacy_row FROM unnest(booked || given_up) AS p (prompt_id)
            CROSS JOIN LATERAL (SELECT * FROM public.workflow_jobs AS j WHERE j.job_id = p.prompt_id OFFSET 0) AS o
            UNION ALL
            SELECT o.legacy_table, o.legacy_id, o.legacy_row FROM unnest(given_up) AS p (prompt_id)
            CROSS JOIN LATERAL (
                SELECT min(two.legacy_id) AS legacy_id
                FROM (SELECT s.legacy_id FROM rushes_legacy.style_prompts AS s WHERE s.prompt_id = p.prompt_id LIMIT 2) AS two
                HAVING count(*) = 1) AS only_one
            CROSS JOIN LATERAL (SELECT * FROM public.workflow_jobs AS j
                                WHERE j.legacy_table = 'style_transfers' AND j.legacy_id = only_one.legacy_id OFFSET 0) AS o
        ) AS found
        WHERE found.legacy_table = 'style_transfers') AS one
$$;

ALTER FUNCTION rushes_legacy.is_shared(text, text) SET enable_seqscan = off;

-- Takes job ids away that are another's now, before the other one gets them.
CREATE OR REPLACE FUNCTION rushes_legacy.demote(came rushes_legacy.source_row[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = '' SET enable_seqscan = off
AS $$
    UPDATE public.workflow_jobs AS j SET job_id = 'legacy:style_transfers:' || j.legacy_id
    FROM (
        SELECT o.id FROM unnest(came) AS c
        CROSS JOIN LATERAL (SELECT * FROM public.workflow_jobs AS w
                            WHERE w.legacy_table = 'style_transfers' AND w.legacy_id = c.legacy_id OFFSET 0) AS o
        WHERE c.legacy_table = 'style_transfers' AND o.job_id <> 'legacy:style_transfers:' || o.legacy_id
          AND (o.job_id IS DISTINCT FROM c.content ->> 'comfyui_prompt_id'
               OR o.job_id = ANY (ARRAY(SELECT m.legacy_id FROM unnest(came) AS m WHERE m.legacy_table = 'multitalk_jobs'))
               OR rushes_legacy.is_shared(o.legacy_id, o.job_id))) AS demoted
    WHERE j.id = demoted.id
$$;

-- A job's id has its time in it: a row that says another time now is another job. (A row without a moment of its own
-- has that of its submission, or a dataset that of its first item.)
CREATE OR REPLACE FUNCTION rushes_legacy.drop_redated(came rushes_legacy.source_row[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = '' SET enable_seqscan = off
AS $$
    WITH redated AS MATERIALIZED (
        SELECT o.id FROM unnest(came) AS c
        CROSS JOIN LATERAL (SELECT * FROM public.workflow_jobs AS w
                            WHERE w.legacy_table = c.legacy_table AND w.legacy_id = c.legacy_id OFFSET 0) AS o
        WHERE CASE WHEN c.content ->> 'created_at' LIKE '____-__-__T%'
                   THEN o.legacy_row ->> 'created_at' IS DISTINCT FROM c.content ->> 'created_at'
                   ELSE o.created_at IS DISTINCT FROM coalesce(
                       rushes_legacy.moment_of(c.content ->> 'created_at'), rushes_legacy.moment_of(c.content ->> 'timestamp_submitted'),
                       CASE WHEN c.legacy_table = 'datasets' THEN (
                           SELECT min(rushes_legacy.moment_of(x.content ->> 'created_at')) FROM unnest(came) AS x
                           WHERE x.legacy_table = 'data' AND x.content ->> 'dataset_id' = c.legacy_id) END,
                       '1970-01-01 00:00:00+00') END
    ), gone AS (
        DELETE FROM public.workflow_jobs AS j USING redated AS r WHERE j.id = r.id RETURNING j.legacy_table, j.legacy_id
    )
    DELETE FROM public.caption_datasets AS d USING gone AS g WHERE g.legacy_table = 'datasets' AND d.legacy_id = g.legacy_id
$$;

-- Taking in -----------------------------------------------------------------------------------------------

-- Old rows become jobs; how many were written. A row of `datasets` comes with all of its rows of `data`. `fresh`: none
-- of these rows has ever been here.
CREATE OR REPLACE FUNCTION rushes_legacy.take_in(came rushes_legacy.source_row[], fresh boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = '' SET timezone = 'UTC'
AS $$
DECLARE
    names CONSTANT text[] := ARRAY(SELECT DISTINCT c.legacy_table FROM unnest(came) AS c);
    others rushes_legacy.source_row[] := '{}';
    prompts record;
BEGIN
    IF NOT fresh THEN
        PERFORM rushes_legacy.drop_redated(came);
    END IF;
    IF 'style_transfers' = ANY (names) OR ('multitalk_jobs' = ANY (names) AND EXISTS (SELECT FROM rushes_legacy.style_prompts)) THEN
        prompts := rushes_legacy.book_prompts(came);
        IF prompts.booked || prompts.given_up <> '{}' THEN
            others := ARRAY(SELECT o FROM unnest(rushes_legacy.with_prompts(prompts.booked, prompts.given_up)) AS o
                            WHERE NOT EXISTS (SELECT FROM unnest(came) AS c
                                              WHERE c.legacy_table = o.legacy_table AND c.legacy_id = o.legacy_id));
        END IF;
    END IF;
    IF NOT fresh OR others <> '{}' THEN
        PERFORM rushes_legacy.demote(came || others);
    END IF;
    IF others <> '{}' THEN
        RETURN rushes_legacy.put_patiently(came || others, names || '{style_transfers}'::text[], false);
    END IF;
    RETURN rushes_legacy.put_patiently(came, names, fresh);
END
$$;

CREATE FUNCTION rushes_legacy.put_patiently(came rushes_legacy.source_row[], names text[], fresh boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
BEGIN
    RETURN rushes_legacy.put_all(came, names, fresh);
EXCEPTION WHEN data_exception OR unique_violation THEN
    -- a column that holds what only looks like a moment; or somebody else has followed a row that was just written
    PERFORM set_config('rushes_legacy.careful', 'on', true);
    RETURN rushes_legacy.put_all(came, names, false);
END
$$;

CREATE FUNCTION rushes_legacy.put_all(came rushes_legacy.source_row[], names text[], fresh boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
DECLARE
    sets rushes_legacy.item[] := '{}';
    written bigint := 0;
BEGIN
    IF 'data' = ANY (names) THEN
        sets := ARRAY(SELECT i FROM rushes_legacy.items_of(came) AS i);
    END IF;
    -- whether a prompt id is shared depends on the multitalk rows: they go first
    IF names && '{multitalk_jobs,edited_images,datasets}' THEN
        written := rushes_legacy.put_jobs(came, '{multitalk_jobs,edited_images,datasets}', sets, fresh);
    END IF;
    IF 'style_transfers' = ANY (names) THEN
        written := written + rushes_legacy.put_jobs(came, '{style_transfers}', sets, fresh);
    END IF;
    IF 'datasets' = ANY (names) THEN
        PERFORM rushes_legacy.put_datasets(came, sets, fresh);
    END IF;
    RETURN written;
END
$$;

-- Old rows that are no more: their jobs go, and what they kept others from is given back.
CREATE OR REPLACE FUNCTION rushes_legacy.let_go(name text, ids text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
DECLARE
    prompts text[];
    gone bigint;
BEGIN
    DELETE FROM public.caption_datasets AS d WHERE let_go.name = 'datasets' AND d.legacy_id = ANY (ids);
    DELETE FROM public.workflow_jobs AS j WHERE j.legacy_table = let_go.name AND j.legacy_id = ANY (ids);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF name = 'style_transfers' THEN
        WITH freed AS (DELETE FROM rushes_legacy.style_prompts AS s WHERE s.legacy_id = ANY (ids) RETURNING s.prompt_id)
        SELECT array_agg(DISTINCT f.prompt_id) INTO prompts FROM freed AS f;
    ELSIF name = 'multitalk_jobs' THEN
        prompts := ids;
    END IF;
    IF prompts <> '{}' THEN
        PERFORM rushes_legacy.take_in(rushes_legacy.with_prompts('{}', prompts));
    END IF;
    RETURN gone;
END
$$;

DROP FUNCTION rushes_legacy.present(text);
ALTER TYPE rushes_legacy.reading DROP ATTRIBUTE rule, DROP ATTRIBUTE old_status, DROP ATTRIBUTE result,
    DROP ATTRIBUTE stored, DROP ATTRIBUTE anomalies;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rushes_legacy FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rushes_legacy TO service_role;
