-- Old rows into workflow_jobs, by whoever brings them: migrate in batches, drain, the views. The same rows give the
-- same jobs, whatever their order; what is the same already isn't touched.

-- Prompt ids that several rows have --------------------------------------------------------------------

CREATE FUNCTION rushes_legacy.is_shared(legacy_id text, prompt_id text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM rushes_legacy.style_prompts AS s
                   WHERE s.prompt_id = is_shared.prompt_id AND s.legacy_id <> is_shared.legacy_id)
        OR EXISTS (SELECT FROM public.workflow_jobs AS j
                   WHERE j.legacy_table = 'multitalk_jobs' AND j.legacy_id = is_shared.prompt_id);
END
$$;

-- Books the prompt ids of these rows; those that another row may have, or have had.
CREATE FUNCTION rushes_legacy.book_prompts(came rushes_legacy.source_row[]) RETURNS text[]
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
DECLARE
    prompts text[];
BEGIN
    IF NOT EXISTS (SELECT FROM unnest(came) AS c
                   WHERE c.legacy_table = 'style_transfers'
                      OR (c.legacy_table = 'multitalk_jobs' AND EXISTS (SELECT FROM rushes_legacy.style_prompts))) THEN
        RETURN '{}';
    END IF;
    WITH told AS (
        SELECT c.legacy_id, rushes_legacy.present(c.content ->> 'comfyui_prompt_id') AS prompt_id
        FROM unnest(came) AS c WHERE c.legacy_table = 'style_transfers'
    ), was AS (
        SELECT s.prompt_id FROM rushes_legacy.style_prompts AS s JOIN told AS t ON t.legacy_id = s.legacy_id
        WHERE s.prompt_id IS DISTINCT FROM t.prompt_id
    ), gone AS (
        DELETE FROM rushes_legacy.style_prompts AS s USING told AS t
        WHERE s.legacy_id = t.legacy_id AND t.prompt_id IS NULL
    ), booked AS (
        INSERT INTO rushes_legacy.style_prompts AS s (legacy_id, prompt_id)
        SELECT t.legacy_id, t.prompt_id FROM told AS t WHERE t.prompt_id IS NOT NULL
        ON CONFLICT (legacy_id) DO UPDATE SET prompt_id = excluded.prompt_id WHERE s.prompt_id <> excluded.prompt_id
        RETURNING s.prompt_id
    )
    SELECT coalesce(array_agg(DISTINCT changed.prompt_id), '{}') INTO prompts FROM (
        SELECT prompt_id FROM was UNION ALL SELECT prompt_id FROM booked UNION ALL
        SELECT s.prompt_id FROM rushes_legacy.style_prompts AS s
        JOIN unnest(came) AS c ON c.legacy_table = 'multitalk_jobs' AND c.legacy_id = s.prompt_id
    ) AS changed;
    RETURN prompts;
END
$$;

-- The style rows whose job id depends on these prompt ids: who has one now, and who is the only one left.
CREATE FUNCTION rushes_legacy.with_prompts(prompts text[]) RETURNS rushes_legacy.source_row[]
LANGUAGE sql STABLE SET search_path = ''
AS $$
    SELECT coalesce(array_agg(ROW(j.legacy_table, j.legacy_id, j.legacy_row)::rushes_legacy.source_row), '{}')
    FROM public.workflow_jobs AS j
    WHERE j.legacy_table = 'style_transfers' AND j.id IN (
        SELECT o.id FROM public.workflow_jobs AS o WHERE o.job_id = ANY (prompts)
        UNION ALL
        SELECT o.id FROM unnest(prompts) AS p
        CROSS JOIN LATERAL (
            SELECT min(two.legacy_id) AS legacy_id
            FROM (SELECT s.legacy_id FROM rushes_legacy.style_prompts AS s WHERE s.prompt_id = p LIMIT 2) AS two
            HAVING count(*) = 1) AS only_one
        JOIN public.workflow_jobs AS o ON o.legacy_table = 'style_transfers' AND o.legacy_id = only_one.legacy_id)
$$;

-- Takes job ids away that are another's now, before the other one gets them.
CREATE FUNCTION rushes_legacy.demote(came rushes_legacy.source_row[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = ''
AS $$
    UPDATE public.workflow_jobs AS j SET job_id = 'legacy:style_transfers:' || j.legacy_id
    FROM unnest(came) AS c
    WHERE c.legacy_table = 'style_transfers' AND j.legacy_table = 'style_transfers' AND j.legacy_id = c.legacy_id
      AND j.job_id <> 'legacy:style_transfers:' || j.legacy_id
      AND (j.job_id IS DISTINCT FROM c.content ->> 'comfyui_prompt_id' OR rushes_legacy.is_shared(j.legacy_id, j.job_id)
           OR EXISTS (SELECT FROM unnest(came) AS m WHERE m.legacy_table = 'multitalk_jobs' AND m.legacy_id = j.job_id))
$$;

-- Writing ------------------------------------------------------------------------------------------------

-- The account that a row names: what phase 1 wrote, if there is such an account.
CREATE FUNCTION rushes_legacy.owner_of(content jsonb) RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    IF content ->> 'user_id' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN
        RETURN (SELECT u.id FROM auth.users AS u WHERE u.id = (content ->> 'user_id')::uuid);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION rushes_legacy.circumstances_of(r rushes_legacy.source_row, items rushes_legacy.item[], chosen rushes_legacy.choices, has_owners boolean, has_files boolean)
RETURNS rushes_legacy.circumstances
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    c rushes_legacy.circumstances;
BEGIN
    c.visibility := chosen.visibility;
    c.stale_before := chosen.stale_before;
    c.items := items;
    IF r.content ->> 'user_id' <> '' THEN
        c.owner := rushes_legacy.owner_of(r.content);
        c.unknown_owner := c.owner IS NULL;
    END IF;
    IF c.owner IS NULL AND has_owners THEN
        c.owner := (SELECT o.user_id FROM rushes_legacy.owners AS o
                    WHERE o.legacy_table = r.legacy_table AND o.legacy_id = r.legacy_id);
    END IF;
    IF has_files THEN
        c.kept := rushes_legacy.files_of(r.legacy_table, r.legacy_id);
    END IF;
    IF r.legacy_table = 'style_transfers' AND r.content ->> 'comfyui_prompt_id' <> '' THEN
        c.shared_prompt := rushes_legacy.is_shared(r.legacy_id, r.content ->> 'comfyui_prompt_id');
    END IF;
    RETURN c;
END
$$;

-- What `files` stored of a row, by slot.
CREATE FUNCTION rushes_legacy.files_of(legacy_table text, legacy_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN (SELECT jsonb_object_agg(f.slot, jsonb_build_object('source', f.source, 'file', f.file))
            FROM rushes_legacy.files AS f
            WHERE f.legacy_table = files_of.legacy_table AND f.legacy_id = files_of.legacy_id AND f.state = 'stored');
END
$$;

-- The items of each dataset, in their order. `ROWS` is large so that it is joined by hash.
CREATE FUNCTION rushes_legacy.items_of(came rushes_legacy.source_row[])
RETURNS TABLE (dataset text, items rushes_legacy.item[])
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = ''
AS $$
BEGIN
    RETURN QUERY
    SELECT g.dataset, rushes_legacy.in_order(ARRAY(
        SELECT rushes_legacy.item_of(one.legacy_id, one.content, g.files) FROM unnest(g.members) AS one))
    FROM (SELECT c.content ->> 'dataset_id' AS dataset, array_agg(c) AS members,
                 rushes_legacy.files_of('datasets', c.content ->> 'dataset_id') AS files
          FROM unnest(came) AS c WHERE c.legacy_table = 'data' GROUP BY 1 OFFSET 0) AS g;
END
$$;

-- One job a row; a job that is the same stays untouched.
CREATE FUNCTION rushes_legacy.put_jobs(came rushes_legacy.source_row[], names text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
DECLARE
    chosen rushes_legacy.choices := (SELECT c FROM rushes_legacy.choices AS c);
    has_owners boolean := EXISTS (SELECT FROM rushes_legacy.owners);
    has_files boolean := EXISTS (SELECT FROM rushes_legacy.files WHERE state = 'stored');
    has_datasets boolean := EXISTS (SELECT FROM unnest(came) AS c WHERE c.legacy_table = 'datasets');
    written bigint;
BEGIN
    INSERT INTO public.workflow_jobs AS j (
        id, job_id, user_id, workflow_type, workflow_name, status, created_at, updated_at, completed_at,
        processing_time_seconds, inputs, outputs, result_urls, prompt_text, comfy_url, comfyui_output_filename,
        comfyui_output_subfolder, comfyui_output_type, error_message, error_code, available_at, visibility, user_ip,
        model_used, metadata, origin, legacy_table, legacy_id, legacy_row)
    SELECT
        n.id, n.job_id, n.user_id, n.workflow_type, n.workflow_name, n.status, n.created_at, n.updated_at, n.completed_at,
        n.processing_time_seconds, n.inputs, n.outputs, n.result_urls, n.prompt_text, n.comfy_url, n.comfyui_output_filename,
        n.comfyui_output_subfolder, n.comfyui_output_type, n.error_message, n.error_code, n.created_at, n.visibility, n.user_ip,
        n.model_used, n.metadata, 'legacy', n.legacy_table, n.legacy_id, r.content
    FROM unnest(came) AS r
    LEFT JOIN rushes_legacy.items_of(CASE WHEN has_datasets THEN came END) AS i
        ON r.legacy_table = 'datasets' AND i.dataset = r.legacy_id
    CROSS JOIN LATERAL rushes_legacy.job(r.legacy_table, r.legacy_id, r.content, rushes_legacy.circumstances_of(
        r, i.items, chosen, has_owners, has_files)) AS n
    WHERE r.legacy_table = ANY (names)
    ON CONFLICT (legacy_table, legacy_id) DO UPDATE SET
        job_id = excluded.job_id, user_id = excluded.user_id, workflow_type = excluded.workflow_type,
        workflow_name = excluded.workflow_name, status = excluded.status, created_at = excluded.created_at,
        updated_at = excluded.updated_at, completed_at = excluded.completed_at,
        processing_time_seconds = excluded.processing_time_seconds, inputs = excluded.inputs, outputs = excluded.outputs,
        result_urls = excluded.result_urls, prompt_text = excluded.prompt_text, comfy_url = excluded.comfy_url,
        comfyui_output_filename = excluded.comfyui_output_filename,
        comfyui_output_subfolder = excluded.comfyui_output_subfolder, comfyui_output_type = excluded.comfyui_output_type,
        error_message = excluded.error_message, error_code = excluded.error_code, user_ip = excluded.user_ip,
        model_used = excluded.model_used, metadata = j.metadata || excluded.metadata, legacy_row = excluded.legacy_row,
        -- what people chose since stays; what they couldn't have chosen follows the operator
        visibility = CASE WHEN excluded.user_id IS NULL THEN excluded.visibility ELSE j.visibility END,
        version = j.version + (j.status <> excluded.status)::integer
    WHERE (j.job_id, j.user_id, j.workflow_type, j.workflow_name, j.status, j.created_at, j.updated_at, j.completed_at,
           j.processing_time_seconds, j.inputs, j.outputs, j.result_urls, j.prompt_text, j.comfy_url,
           j.comfyui_output_filename, j.comfyui_output_subfolder, j.comfyui_output_type, j.error_message, j.error_code,
           j.user_ip, j.model_used, j.metadata -> 'legacy', j.legacy_row)
        IS DISTINCT FROM
          (excluded.job_id, excluded.user_id, excluded.workflow_type, excluded.workflow_name, excluded.status,
           excluded.created_at, excluded.updated_at, excluded.completed_at, excluded.processing_time_seconds,
           excluded.inputs, excluded.outputs, excluded.result_urls, excluded.prompt_text, excluded.comfy_url,
           excluded.comfyui_output_filename, excluded.comfyui_output_subfolder, excluded.comfyui_output_type,
           excluded.error_message, excluded.error_code, excluded.user_ip, excluded.model_used,
           excluded.metadata -> 'legacy', excluded.legacy_row)
        OR (excluded.user_id IS NULL AND j.visibility <> excluded.visibility);
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END
$$;

-- A job's id has its time in it: a row that says another time now is another job.
CREATE FUNCTION rushes_legacy.drop_redated(came rushes_legacy.source_row[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = ''
AS $$
    DELETE FROM public.workflow_jobs AS j USING unnest(came) AS c
    WHERE j.legacy_table = c.legacy_table AND j.legacy_id = c.legacy_id
      AND (j.legacy_row ->> 'created_at' IS DISTINCT FROM c.content ->> 'created_at'
           OR (c.content ->> 'created_at' IS NULL
               AND j.legacy_row ->> 'timestamp_submitted' IS DISTINCT FROM c.content ->> 'timestamp_submitted'))
$$;

CREATE FUNCTION rushes_legacy.put_datasets(came rushes_legacy.source_row[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
BEGIN
    INSERT INTO public.caption_datasets AS d (id, job_id, user_id, visibility, name, settings, created_at, updated_at, legacy_id, legacy_row)
    SELECT j.id, j.id, j.user_id, j.visibility, coalesce(c.content ->> 'name', ''),
           CASE WHEN jsonb_typeof(c.content -> 'settings') = 'object' THEN c.content -> 'settings' ELSE '{}' END
               || jsonb_build_object('character_trigger', c.content -> 'character_trigger'),
           j.created_at, j.updated_at, c.legacy_id, c.content
    FROM unnest(came) AS c
    JOIN public.workflow_jobs AS j ON j.legacy_table = 'datasets' AND j.legacy_id = c.legacy_id
    WHERE c.legacy_table = 'datasets'
    ON CONFLICT (legacy_id) DO UPDATE SET
        job_id = excluded.job_id, user_id = excluded.user_id, visibility = excluded.visibility, name = excluded.name,
        settings = excluded.settings, created_at = excluded.created_at, updated_at = excluded.updated_at, legacy_row = excluded.legacy_row
    WHERE (d.job_id, d.user_id, d.visibility, d.name, d.settings, d.created_at, d.updated_at, d.legacy_row) IS DISTINCT FROM
          (excluded.job_id, excluded.user_id, excluded.visibility, excluded.name, excluded.settings, excluded.created_at, excluded.updated_at, excluded.legacy_row);

    SET CONSTRAINTS public.caption_dataset_items_dataset_id_position_key DEFERRED;
    DELETE FROM public.caption_dataset_items AS i
    USING public.caption_datasets AS d, unnest(came) AS c
    WHERE c.legacy_table = 'datasets' AND d.legacy_id = c.legacy_id AND i.dataset_id = d.id AND i.legacy_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM unnest(came) AS x WHERE x.legacy_table = 'data' AND x.legacy_id = i.legacy_id
                      AND x.content ->> 'dataset_id' = c.legacy_id);
    INSERT INTO public.caption_dataset_items AS i (id, dataset_id, position, image, caption, created_at, updated_at, legacy_id, legacy_row)
    SELECT rushes_legacy.id_of('data', x.legacy_id, coalesce(x.created_at, d.created_at)), d.id, x.place, x.image, x.caption,
           coalesce(x.created_at, d.created_at), coalesce(x.created_at, d.created_at), x.legacy_id, x.content
    FROM unnest(came) AS c
    JOIN public.caption_datasets AS d ON d.legacy_id = c.legacy_id
    JOIN rushes_legacy.items_of(came) AS o ON o.dataset = c.legacy_id
    CROSS JOIN LATERAL unnest(o.items) AS x
    WHERE c.legacy_table = 'datasets'
    ON CONFLICT (legacy_id) DO UPDATE SET
        dataset_id = excluded.dataset_id, position = excluded.position, image = excluded.image, caption = excluded.caption,
        created_at = excluded.created_at, updated_at = excluded.updated_at, legacy_row = excluded.legacy_row
    WHERE (i.dataset_id, i.position, i.image, i.caption, i.created_at, i.legacy_row) IS DISTINCT FROM
          (excluded.dataset_id, excluded.position, excluded.image, excluded.caption, excluded.created_at, excluded.legacy_row);
    SET CONSTRAINTS public.caption_dataset_items_dataset_id_position_key IMMEDIATE;
END
$$;

-- Old rows become jobs; how many were written. A row of `datasets` comes with all of its rows of `data`. `fresh`: none
-- of these rows has ever been here.
CREATE FUNCTION rushes_legacy.take_in(came rushes_legacy.source_row[], fresh boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = '' SET timezone = 'UTC'
AS $$
DECLARE
    others rushes_legacy.source_row[];
    prompts text[];
    written bigint;
BEGIN
    prompts := rushes_legacy.book_prompts(came);
    IF NOT fresh THEN
        PERFORM rushes_legacy.drop_redated(came);
    END IF;
    IF prompts <> '{}' THEN
        others := ARRAY(SELECT o FROM unnest(rushes_legacy.with_prompts(prompts)) AS o
                        WHERE NOT EXISTS (SELECT FROM unnest(came) AS c
                                          WHERE c.legacy_table = o.legacy_table AND c.legacy_id = o.legacy_id));
        came := came || others;
    END IF;
    IF NOT fresh OR others <> '{}' THEN
        PERFORM rushes_legacy.demote(came);
    END IF;
    BEGIN
        written := rushes_legacy.put_all(came);
    EXCEPTION WHEN data_exception THEN
        -- a column that holds what only looks like a moment
        PERFORM set_config('rushes_legacy.careful', 'on', true);
        written := rushes_legacy.put_all(came);
    END;
    RETURN written;
END
$$;

CREATE FUNCTION rushes_legacy.put_all(came rushes_legacy.source_row[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
DECLARE
    names text[] := ARRAY(SELECT DISTINCT c.legacy_table FROM unnest(came) AS c);
    written bigint := 0;
BEGIN
    -- whether a prompt id is shared depends on the multitalk rows: they go first
    IF names && '{multitalk_jobs,edited_images,datasets}' THEN
        written := rushes_legacy.put_jobs(came, '{multitalk_jobs,edited_images,datasets}');
    END IF;
    IF 'style_transfers' = ANY (names) THEN
        written := written + rushes_legacy.put_jobs(came, '{style_transfers}');
    END IF;
    IF 'datasets' = ANY (names) THEN
        PERFORM rushes_legacy.put_datasets(came);
    END IF;
    RETURN written;
END
$$;

-- Old rows that are no more: their jobs go, and what they kept others from is given back.
CREATE FUNCTION rushes_legacy.let_go(name text, ids text[]) RETURNS bigint
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
    PERFORM rushes_legacy.take_in(rushes_legacy.with_prompts(coalesce(prompts, '{}')));
    RETURN gone;
END
$$;

-- Once more rows that are here already, from what was kept of them: their files have come since.
CREATE FUNCTION rushes_legacy.take_again(name text, ids text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
BEGIN
    RETURN rushes_legacy.take_in(ARRAY(
        SELECT ROW(j.legacy_table, j.legacy_id, j.legacy_row)::rushes_legacy.source_row
        FROM public.workflow_jobs AS j WHERE j.legacy_table = take_again.name AND j.legacy_id = ANY (ids)
        UNION ALL
        SELECT ROW('data', i.legacy_id, i.legacy_row)::rushes_legacy.source_row
        FROM public.caption_datasets AS d JOIN public.caption_dataset_items AS i ON i.dataset_id = d.id
        WHERE take_again.name = 'datasets' AND d.legacy_id = ANY (ids) AND i.legacy_row IS NOT NULL));
END
$$;

-- Once more what had not ended when it was read, and is too old to end now; how many were written.
CREATE FUNCTION rushes_legacy.give_up_stale() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = ''
AS $$
BEGIN
    RETURN rushes_legacy.take_in(ARRAY(
        SELECT ROW(j.legacy_table, j.legacy_id, j.legacy_row)::rushes_legacy.source_row
        FROM public.workflow_jobs AS j CROSS JOIN rushes_legacy.choices AS c
        WHERE j.origin = 'legacy' AND j.status IN ('pending', 'processing') AND j.created_at < c.stale_before
        LIMIT 10000
        -- after the cut-over somebody may write it through a view just now
        FOR UPDATE OF j SKIP LOCKED));
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rushes_legacy FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rushes_legacy TO service_role;
