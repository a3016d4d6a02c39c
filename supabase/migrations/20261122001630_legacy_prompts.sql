-- Two that write rows with one prompt id through the views at the same time both found it free: one of them got a
-- unique violation that its table would never have raised, or the id stayed with nobody; or the one wrote the other's
-- row once more as it had been before. Whoever writes a row that has a prompt id holds that id now, and waits for
-- whoever else does.

-- Holds prompt ids until the transaction ends. After many, the transaction holds all there are instead: what the
-- server can hold has an end, and a statement may write any number of rows.
CREATE FUNCTION rushes_legacy.hold_prompts(prompts text[]) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    most CONSTANT integer := 300;
    every_one CONSTANT bigint := hashtextextended('rushes:legacy:prompts', 0);
    held integer := coalesce(nullif(current_setting('rushes_legacy.prompts_held', true), ''), '0')::integer;
BEGIN
    prompts := array_remove(array_remove(prompts, NULL), '');
    IF held > most OR prompts = '{}' THEN
        RETURN;
    END IF;
    held := held + cardinality(prompts);
    PERFORM set_config('rushes_legacy.prompts_held', held::text, true);
    IF held > most THEN
        PERFORM pg_advisory_xact_lock(every_one);
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(every_one);
    PERFORM pg_advisory_xact_lock(h.key)
    FROM (SELECT DISTINCT hashtextextended('rushes:legacy:prompt:' || p, 0) AS key FROM unnest(prompts) AS p ORDER BY 1) AS h;
END
$$;

-- The row of a key as it is now, and nobody else's to change until the transaction ends.
CREATE OR REPLACE FUNCTION rushes_legacy.hold(name text, id text, leaving boolean) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    found_row jsonb;
BEGIN
    IF name = 'data' THEN
        PERFORM rushes_legacy.hold_dataset(i.legacy_row ->> 'dataset_id', false)
        FROM public.caption_dataset_items AS i WHERE i.legacy_id = hold.id;
        SELECT i.legacy_row INTO found_row FROM public.caption_dataset_items AS i WHERE i.legacy_id = hold.id FOR UPDATE;
        RETURN found_row;
    ELSIF name = 'datasets' THEN
        PERFORM rushes_legacy.hold_dataset(id, leaving);
    ELSIF name = 'style_transfers' THEN
        -- rows with one prompt id are written one at a time: each looks at the others, and may write them, too
        PERFORM rushes_legacy.hold_prompts(ARRAY[s.prompt_id])
        FROM rushes_legacy.style_prompts AS s WHERE s.legacy_id = hold.id;
    ELSIF name = 'multitalk_jobs' AND leaving THEN
        PERFORM rushes_legacy.hold_prompts(ARRAY[id]);
    END IF;
    SELECT j.legacy_row INTO found_row FROM public.workflow_jobs AS j
    WHERE j.legacy_table = hold.name AND j.legacy_id = hold.id AND j.deleted_at IS NULL FOR UPDATE;
    RETURN found_row;
END
$$;

-- The prompt ids that a row brings, and those that it gives up. (Another may have given it one since `hold`.)
CREATE FUNCTION rushes_legacy.hold_its_prompts(name text, id text, content jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = ''
AS $$
DECLARE
    was text;
BEGIN
    IF name = 'style_transfers' THEN
        SELECT s.prompt_id INTO was FROM rushes_legacy.style_prompts AS s WHERE s.legacy_id = hold_its_prompts.id;
        PERFORM rushes_legacy.hold_prompts(ARRAY[was, content ->> 'comfyui_prompt_id']);
    ELSIF name = 'multitalk_jobs' AND NOT EXISTS (
        SELECT FROM public.workflow_jobs AS j
        WHERE j.legacy_table = 'multitalk_jobs' AND j.legacy_id = hold_its_prompts.id) THEN
        PERFORM rushes_legacy.hold_prompts(ARRAY[id]);
    END IF;
END
$$;

-- A row as the old app wrote it becomes, or changes, its job.
CREATE OR REPLACE FUNCTION rushes_legacy.keep(name text, id text, content jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    came CONSTANT rushes_legacy.source_row := (name, id, content);
BEGIN
    PERFORM rushes_legacy.hold_its_prompts(name, id, content);
    IF name = 'data' THEN
        PERFORM rushes_legacy.keep_item(id, content);
    ELSIF name = 'datasets' THEN
        PERFORM rushes_legacy.take_in(rushes_legacy.with_items(came));
    ELSE
        PERFORM rushes_legacy.take_in(ARRAY[came]);
    END IF;
    INSERT INTO rushes_legacy.written (legacy_table, legacy_id) VALUES (name, id);
END
$$;

-- Once more rows that are here already, from what was kept of them: their files have come since. After the cut-over
-- somebody may write them through a view just now.
CREATE OR REPLACE FUNCTION rushes_legacy.take_again(name text, ids text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
BEGIN
    PERFORM rushes_legacy.hold_prompts(ARRAY(
        SELECT s.prompt_id FROM rushes_legacy.style_prompts AS s
        WHERE take_again.name = 'style_transfers' AND s.legacy_id = ANY (ids)));
    PERFORM FROM public.caption_datasets AS d
    WHERE take_again.name = 'datasets' AND d.legacy_id = ANY (ids) ORDER BY d.legacy_id FOR NO KEY UPDATE;
    PERFORM FROM public.workflow_jobs AS j
    WHERE j.legacy_table = take_again.name AND j.legacy_id = ANY (ids) ORDER BY j.legacy_id FOR UPDATE;
    RETURN rushes_legacy.take_in(ARRAY(
        SELECT ROW(j.legacy_table, j.legacy_id, j.legacy_row)::rushes_legacy.source_row
        FROM public.workflow_jobs AS j WHERE j.legacy_table = take_again.name AND j.legacy_id = ANY (ids)
        UNION ALL
        SELECT ROW('data', i.legacy_id, i.legacy_row)::rushes_legacy.source_row
        FROM public.caption_datasets AS d JOIN public.caption_dataset_items AS i ON i.dataset_id = d.id
        WHERE take_again.name = 'datasets' AND d.legacy_id = ANY (ids) AND i.legacy_row IS NOT NULL));
END
$$;

REVOKE ALL ON FUNCTION rushes_legacy.hold_prompts(text[]), rushes_legacy.hold_its_prompts(text, text, jsonb)
    FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION rushes_legacy.hold_prompts(text[]), rushes_legacy.hold_its_prompts(text, text, jsonb)
    TO service_role;
