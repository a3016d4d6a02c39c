-- What a row of an old table becomes, whole: rushes_legacy.job, by the rules of the file before.

-- What a row becomes, as far as it is read: columns of workflow_jobs, and what leads to them.
CREATE TYPE rushes_legacy.reading AS (
    id uuid, job_id text, user_id uuid, workflow_type text, workflow_name text, status text,
    created_at timestamptz, updated_at timestamptz, completed_at timestamptz, processing_time_seconds integer,
    inputs jsonb, outputs jsonb, result_urls jsonb, prompt_text text, comfy_url text, comfyui_output_filename text,
    comfyui_output_subfolder text, comfyui_output_type text, error_message text, error_code text, visibility text,
    user_ip text, model_used text, metadata jsonb, legacy_table text, legacy_id text,
    rule text, old_status text, result jsonb, stored jsonb, anomalies text[]);

-- Times ---------------------------------------------------------------------------------------------

-- A time that is there and can't be.
CREATE FUNCTION rushes_legacy.is_bad_time(content jsonb, name text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN content ->> name IS NOT NULL AND rushes_legacy.moment_of(content ->> name) IS NULL;
END
$$;

-- completed_at and the seconds of a multitalk row, by its two times.
CREATE FUNCTION rushes_legacy.read_run(r rushes_legacy.reading, content jsonb, submitted timestamptz)
RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    completed timestamptz;
    seconds numeric;
BEGIN
    IF content ->> 'timestamp_completed' IS NULL THEN
        RETURN r;
    END IF;
    completed := rushes_legacy.moment_of(content ->> 'timestamp_completed');
    seconds := extract(epoch FROM completed) - extract(epoch FROM submitted);
    IF seconds BETWEEN 0 AND 86400 THEN
        r.completed_at := completed;
        r.processing_time_seconds := floor(seconds);
    ELSE
        r.anomalies := r.anomalies || 'bad_times'::text;
    END IF;
    RETURN r;
END
$$;

-- The seconds that the tables of pictures have a column for.
CREATE FUNCTION rushes_legacy.read_seconds(r rushes_legacy.reading, told text) RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    seconds numeric := CASE WHEN told ~ '^\d{1,9}(\.\d+)?$' THEN told::numeric END;
BEGIN
    IF told IS NULL THEN
        RETURN r;
    ELSIF seconds BETWEEN 0 AND 86400 THEN
        r.processing_time_seconds := floor(seconds);
    ELSE
        r.anomalies := r.anomalies || 'bad_times'::text;
    END IF;
    RETURN r;
END
$$;

CREATE FUNCTION rushes_legacy.read_times(r rushes_legacy.reading, content jsonb, first_item timestamptz)
RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    created timestamptz := rushes_legacy.moment_of(content ->> 'created_at');
    submitted timestamptz;
    updated timestamptz;
BEGIN
    -- most rows say the same time more than once, and reading one costs
    IF content ->> 'timestamp_submitted' = content ->> 'created_at' THEN
        submitted := created;
    ELSIF content ->> 'timestamp_submitted' IS NOT NULL THEN
        submitted := rushes_legacy.moment_of(content ->> 'timestamp_submitted');
    END IF;
    IF content ->> 'updated_at' = content ->> 'created_at' THEN
        updated := created;
    ELSIF content ->> 'updated_at' IS NOT NULL THEN
        updated := rushes_legacy.moment_of(content ->> 'updated_at');
    END IF;
    IF (created IS NULL AND content ->> 'created_at' IS NOT NULL)
        OR (submitted IS NULL AND content ->> 'timestamp_submitted' IS NOT NULL)
        OR (updated IS NULL AND content ->> 'updated_at' IS NOT NULL)
        OR coalesce(created, submitted, first_item) IS NULL THEN
        r.anomalies := r.anomalies || 'bad_times'::text;
    END IF;
    r.created_at := coalesce(created, submitted, first_item, '1970-01-01 00:00:00+00');
    IF r.legacy_table = 'multitalk_jobs' THEN
        r := rushes_legacy.read_run(r, content, submitted);
    ELSE
        r := rushes_legacy.read_seconds(r, content ->> 'processing_time_seconds');
    END IF;
    r.updated_at := coalesce(updated, r.completed_at, r.created_at);
    RETURN r;
END
$$;

-- Status and error ------------------------------------------------------------------------------------

CREATE FUNCTION rushes_legacy.read_error(r rushes_legacy.reading, content jsonb, stale boolean)
RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    message text := nullif(content ->> 'error_message', '');
BEGIN
    IF message IS NULL AND r.legacy_table = 'edited_images' AND starts_with(content ->> 'model_used', 'Error: ') THEN
        message := content ->> 'model_used';
    END IF;
    IF starts_with(message, 'Error: ') THEN
        message := nullif(substr(message, 8), '');
    END IF;
    r.error_code := CASE
        WHEN stale THEN 'legacy_stale'
        WHEN message IN ('Job timed out - likely cancelled or failed', 'Job exceeded maximum runtime (4 hours)')
            THEN 'legacy_timeout'
        ELSE 'legacy_error' END;
    r.error_message := coalesce(message, CASE WHEN stale THEN 'Nobody recorded how this job ended.' END);
    RETURN r;
END
$$;

CREATE FUNCTION rushes_legacy.read_status(r rushes_legacy.reading, content jsonb, stale_before timestamptz)
RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    stale boolean := false;
BEGIN
    r.old_status := CASE WHEN r.legacy_table = 'datasets' THEN NULL ELSE content ->> 'status' END;
    IF r.legacy_table = 'datasets' OR r.old_status IN ('completed', 'cancelled') THEN
        r.status := coalesce(r.old_status, 'completed');
    ELSIF r.old_status IN ('submitted', 'pending', 'processing') THEN
        stale := r.created_at < stale_before;
        r.status := CASE WHEN stale THEN 'failed' WHEN r.old_status = 'processing' THEN 'processing' ELSE 'pending' END;
    ELSE
        r.status := 'failed';
        IF r.old_status IS NULL OR r.old_status NOT IN ('failed', 'error') THEN
            r.anomalies := r.anomalies || 'unreadable_value'::text;
        END IF;
    END IF;
    IF r.status = 'failed' THEN
        RETURN rushes_legacy.read_error(r, content, stale);
    ELSIF r.status IN ('pending', 'processing') THEN
        r.completed_at := NULL;
        r.processing_time_seconds := NULL;
    END IF;
    RETURN r;
END
$$;

-- Inputs and results ----------------------------------------------------------------------------------

-- Adds a file that a column refers to to the inputs.
CREATE FUNCTION rushes_legacy.read_input(r rushes_legacy.reading, name text, slot text, content jsonb, kept jsonb)
RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    reference rushes_legacy.reference := rushes_legacy.file_of(content ->> slot);
BEGIN
    IF reference.source IS NULL THEN
        RETURN r;
    END IF;
    r.anomalies := r.anomalies || reference.anomalies;
    IF reference.source ->> 'kind' = 'lost' THEN
        r.anomalies := r.anomalies || 'lost_input'::text;
    END IF;
    r.inputs := r.inputs || jsonb_build_object(name, rushes_legacy.described('filename',
        rushes_legacy.name_of(reference.source), reference.source, CASE WHEN kept IS NOT NULL THEN rushes_legacy.stored(kept, slot, content ->> slot) END));
    RETURN r;
END
$$;

CREATE FUNCTION rushes_legacy.audio_inputs(type text, told text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
BEGIN
    IF told IS NULL OR told IN ('', 'multiple_masks_audio') THEN
        RETURN '{}';
    ELSIF type <> 'lipsync-multi' THEN
        RETURN jsonb_build_object('audio', jsonb_build_object('kind', 'name', 'filename', told));
    END IF;
    RETURN jsonb_build_object('speakers', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('audio', jsonb_build_object('kind', 'name', 'filename', name)) ORDER BY place), '[]')
        FROM unnest(string_to_array(told, ', ')) WITH ORDINALITY AS names (name, place) WHERE name <> ''));
END
$$;

CREATE FUNCTION rushes_legacy.multitalk_inputs(type text, content jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    picture text := nullif(content ->> 'image_filename', '');
    audio text := nullif(content ->> 'audio_filename', '');
    inputs jsonb := '{}';
BEGIN
    IF picture IS NOT NULL THEN
        inputs := jsonb_build_object(CASE WHEN type = 'video-lipsync' THEN 'video' ELSE 'image' END,
            jsonb_build_object('kind', 'name', 'filename', picture));
    END IF;
    IF audio IS NOT NULL THEN
        inputs := inputs || rushes_legacy.audio_inputs(type, audio);
    END IF;
    -- img2img never wrote its real size
    IF type <> 'img2img' AND jsonb_typeof(content -> 'width') = 'number' THEN
        inputs := inputs || jsonb_build_object('width', content -> 'width');
    END IF;
    IF type <> 'img2img' AND jsonb_typeof(content -> 'height') = 'number' THEN
        inputs := inputs || jsonb_build_object('height', content -> 'height');
    END IF;
    IF type IN ('lipsync-one', 'unknown') AND content ->> 'trim_to_audio' IS NOT NULL THEN
        inputs := inputs || jsonb_build_object('trim_to_audio', content -> 'trim_to_audio');
    END IF;
    RETURN inputs;
END
$$;

CREATE FUNCTION rushes_legacy.read_multitalk(r rushes_legacy.reading, content jsonb, kept jsonb)
RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    url text := content ->> 'video_url';
    path text := nullif(content ->> 'filename', '');
    name text := CASE WHEN strpos(path, '/') + strpos(path, '\') > 0 THEN nullif(rushes_legacy.basename(path), '') ELSE path END;
    folder text := coalesce(content ->> 'subfolder', CASE WHEN length(name) < length(path) THEN left(path, -length(name) - 1) END);
    reference rushes_legacy.reference := CASE WHEN url <> '' THEN rushes_legacy.file_of(url) END;
BEGIN
    r.inputs := rushes_legacy.multitalk_inputs(r.workflow_type, content);
    r.comfyui_output_filename := name;
    r.comfyui_output_subfolder := CASE WHEN name IS NOT NULL THEN folder END;
    IF path IS NOT NULL AND name IS NULL THEN
        r.anomalies := r.anomalies || 'unreadable_value'::text;
    END IF;
    IF reference.source IS NOT NULL THEN
        r.result := reference.source;
        r.anomalies := r.anomalies || reference.anomalies;
        r.stored := CASE WHEN kept IS NOT NULL THEN rushes_legacy.stored(kept, 'video_url', url) END;
    ELSIF name IS NOT NULL THEN
        r.result := jsonb_build_object('kind', 'comfyui', 'server', r.comfy_url, 'filename', name, 'subfolder', folder, 'type', NULL);
        r.stored := CASE WHEN kept IS NOT NULL THEN rushes_legacy.stored(kept, 'filename', r.result::text) END;
    END IF;
    RETURN r;
END
$$;

-- style_transfers and edited_images
CREATE FUNCTION rushes_legacy.read_picture(r rushes_legacy.reading, content jsonb, kept jsonb)
RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    url text := content ->> 'result_image_url';
    reference rushes_legacy.reference := rushes_legacy.file_of(url);
BEGIN
    r.prompt_text := nullif(content ->> 'prompt', '');
    r.inputs := jsonb_strip_nulls(jsonb_build_object('prompt', r.prompt_text));
    r := rushes_legacy.read_input(
        r, CASE WHEN r.workflow_type = 'style-transfer' THEN 'source_image' ELSE 'image' END,
        'source_image_url', content, kept);
    r := rushes_legacy.read_input(r, 'style_image', 'style_image_url', content, kept);
    IF reference.source IS NOT NULL THEN
        r.result := reference.source;
        r.anomalies := r.anomalies || reference.anomalies;
        r.stored := CASE WHEN kept IS NOT NULL THEN rushes_legacy.stored(kept, 'result_image_url', url) END;
    END IF;
    RETURN r;
END
$$;

-- The result, once it is known what came of the job.
CREATE FUNCTION rushes_legacy.read_result(r rushes_legacy.reading) RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    kind text := r.result ->> 'kind';
BEGIN
    IF kind = 'comfyui' AND r.result ->> 'filename' IS NOT NULL THEN
        r.comfyui_output_filename := r.result ->> 'filename';
        r.comfyui_output_subfolder := r.result ->> 'subfolder';
        r.comfyui_output_type := r.result ->> 'type';
    END IF;
    IF kind = 'comfyui' AND r.status IN ('completed', 'failed') THEN
        r.anomalies := r.anomalies || 'not_uploaded'::text;
    ELSIF kind = 'lost' OR (kind IS NULL AND r.status = 'completed') THEN
        r.anomalies := r.anomalies || 'missing_file'::text;
    END IF;
    IF r.status = 'completed' OR (kind IS NOT NULL AND r.status IN ('failed', 'cancelled')) THEN
        r.outputs := jsonb_build_object('texts', '[]'::jsonb, 'reused', false, 'files',
            CASE WHEN kind IS NULL THEN '[]' ELSE jsonb_build_array(
                rushes_legacy.described('name', rushes_legacy.name_of(r.result), r.result, r.stored)) END);
        IF r.stored IS NOT NULL THEN
            r.result_urls := jsonb_build_array('/storage/' || (r.stored ->> 'key'));
        END IF;
    END IF;
    RETURN r;
END
$$;

-- Datasets ----------------------------------------------------------------------------------------------

CREATE FUNCTION rushes_legacy.item_of(legacy_id text, content jsonb, kept jsonb) RETURNS rushes_legacy.item
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    reference rushes_legacy.reference := rushes_legacy.file_of(content ->> 'image_url');
    wrong text[] := coalesce(reference.anomalies, '{missing_file}');
    caption text := nullif(content ->> 'caption', '');
BEGIN
    IF reference.source ->> 'kind' = 'lost' THEN
        wrong := wrong || 'lost_input'::text;
    END IF;
    IF caption IS NULL THEN
        wrong := wrong || 'missing_caption'::text;
    ELSIF caption = 'Error generating caption' OR strpos(caption, 'ComfyUI processing failed:') > 0 THEN
        wrong := wrong || 'failed_caption'::text;
        caption := NULL;
    END IF;
    IF rushes_legacy.is_bad_time(content, 'created_at') THEN
        wrong := wrong || 'bad_times'::text;
    END IF;
    RETURN (NULL::integer, legacy_id, content ->> 'image_name', rushes_legacy.described('filename', content ->> 'image_name',
            coalesce(reference.source, '{"kind": "name"}'), rushes_legacy.stored(kept, legacy_id, content ->> 'image_url')),
        caption, rushes_legacy.moment_of(content ->> 'created_at'), content, wrong);
END
$$;

-- In their order: by time, then by name as people count.
CREATE FUNCTION rushes_legacy.in_order(items rushes_legacy.item[]) RETURNS rushes_legacy.item[]
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW((row_number() OVER ordered)::integer, i.legacy_id, i.filename, i.image, i.caption, i.created_at, i.content, i.anomalies)::rushes_legacy.item
        FROM unnest(items) AS i
        WINDOW ordered AS (ORDER BY i.created_at NULLS LAST, rushes_legacy.natural_key(i.filename) COLLATE "C", i.filename COLLATE "C", i.legacy_id COLLATE "C")
        ORDER BY 1);
END
$$;

CREATE FUNCTION rushes_legacy.read_dataset(r rushes_legacy.reading, content jsonb, items rushes_legacy.item[])
RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    settings jsonb := content -> 'settings';
BEGIN
    IF jsonb_typeof(settings) IS DISTINCT FROM 'object' THEN
        r.anomalies := r.anomalies || 'unreadable_value'::text;
        settings := '{}';
    END IF;
    r.anomalies := r.anomalies || ARRAY(SELECT unnest(i.anomalies) FROM unnest(items) AS i);
    r.prompt_text := nullif(content ->> 'name', '');
    r.inputs := jsonb_strip_nulls(jsonb_build_object(
        'trigger_word', content -> 'character_trigger', 'caption_type', settings -> 'caption_type',
        'caption_length', settings -> 'caption_length', 'user_prompt', settings -> 'user_prompt',
        'max_tokens', settings -> 'max_new_tokens', 'temperature', settings -> 'temperature', 'top_p', settings -> 'top_p'))
        || jsonb_build_object('images', (SELECT coalesce(jsonb_agg(i.image ORDER BY i.place), '[]') FROM unnest(items) AS i));
    r.outputs := jsonb_build_object('files', '[]'::jsonb, 'reused', false, 'texts', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('name', 'caption', 'item', i.place, 'text', i.caption) ORDER BY i.place), '[]')
        FROM unnest(items) AS i WHERE i.caption IS NOT NULL));
    RETURN r;
END
$$;

-- The row --------------------------------------------------------------------------------------------------

-- What is the same for every table.
CREATE FUNCTION rushes_legacy.begin_reading(legacy_table text, legacy_id text, content jsonb, c rushes_legacy.circumstances)
RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    r rushes_legacy.reading;
    type text[] := rushes_legacy.type_of(legacy_table, content);
BEGIN
    r.anomalies := CASE WHEN c.unknown_owner OR content ? 'rushes:cut' OR (type[2] <> 'column' AND content ->> 'workflow_type' <> '')
        THEN '{unreadable_value}' ELSE '{}' END;
    r.rule := type[2];
    r.legacy_table := legacy_table;
    r.legacy_id := legacy_id;
    r.workflow_type := type[1];
    IF type[1] = 'unknown' THEN
        r.anomalies := r.anomalies || 'unknown_type'::text;
    END IF;
    r.workflow_name := coalesce(nullif(content ->> 'workflow_name', ''), 'unknown');
    r.user_id := c.owner;
    r.visibility := CASE WHEN c.owner IS NULL THEN c.visibility ELSE 'private' END;
    r.comfy_url := nullif(rtrim(content ->> 'comfy_url', '/'), '');
    r.user_ip := CASE WHEN content ->> 'user_ip' NOT IN ('', 'unknown') THEN content ->> 'user_ip' END;
    r.model_used := CASE WHEN NOT (legacy_table = 'edited_images' AND starts_with(content ->> 'model_used', 'Error: '))
        THEN nullif(content ->> 'model_used', '') END;
    r.result_urls := '[]';
    r.job_id := 'legacy:' || legacy_table || ':' || legacy_id;
    IF legacy_table = 'multitalk_jobs' AND legacy_id <> '' THEN
        r.job_id := legacy_id;
    ELSIF legacy_table = 'style_transfers' AND content ->> 'comfyui_prompt_id' <> '' THEN
        IF c.shared_prompt THEN
            r.anomalies := r.anomalies || 'duplicate_prompt_id'::text;
        ELSE
            r.job_id := content ->> 'comfyui_prompt_id';
        END IF;
    END IF;
    RETURN r;
END
$$;

CREATE FUNCTION rushes_legacy.job(legacy_table text, legacy_id text, content jsonb, c rushes_legacy.circumstances)
RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    r rushes_legacy.reading := rushes_legacy.begin_reading(legacy_table, legacy_id, content, c);
BEGIN
    IF legacy_table = 'datasets' THEN
        r := rushes_legacy.read_times(r, content, (c.items[1]).created_at);
        r := rushes_legacy.read_status(r, content, c.stale_before);
        r := rushes_legacy.read_dataset(r, content, c.items);
    ELSE
        r := rushes_legacy.read_times(r, content, NULL);
        r := rushes_legacy.read_status(r, content, c.stale_before);
        IF legacy_table = 'multitalk_jobs' THEN
            r := rushes_legacy.read_multitalk(r, content, c.kept);
        ELSE
            r := rushes_legacy.read_picture(r, content, c.kept);
        END IF;
        r := rushes_legacy.read_result(r);
    END IF;
    IF cardinality(r.anomalies) > 1 THEN
        r.anomalies := ARRAY(SELECT DISTINCT name COLLATE "C" FROM unnest(r.anomalies) AS wrong (name) ORDER BY 1);
    END IF;
    r.id := rushes_legacy.id_of(legacy_table, legacy_id, r.created_at);
    r.metadata := jsonb_build_object('legacy', jsonb_build_object('type_rule', r.rule, 'status', r.old_status,
        'result_kind', r.result ->> 'kind', 'anomalies', r.anomalies));
    RETURN r;
END
$$;
