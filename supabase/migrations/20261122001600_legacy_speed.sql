-- A takeover maps whole batches: what a row becomes is one query in stages instead of some forty functions that are
-- called for every row (five times as fast). The rules are those of before; they are written once, as a text that is
-- put into the functions that read by it: put_jobs (migrate, drain, the views), old_jobs (the bridge), items_of and
-- type_of (phase 1). `rushes legacy verify` has them again, in Python: change both.

DROP FUNCTION rushes_legacy.put_jobs(rushes_legacy.source_row[], text[]), rushes_legacy.put_all(rushes_legacy.source_row[]),
    rushes_legacy.put_datasets(rushes_legacy.source_row[]), rushes_legacy.items_of(rushes_legacy.source_row[]),
    rushes_legacy.job(text, text, jsonb, rushes_legacy.circumstances),
    rushes_legacy.begin_reading(text, text, jsonb, rushes_legacy.circumstances),
    rushes_legacy.circumstances_of(rushes_legacy.source_row, rushes_legacy.item[], rushes_legacy.choices, boolean, boolean),
    rushes_legacy.read_dataset(rushes_legacy.reading, jsonb, rushes_legacy.item[]),
    rushes_legacy.read_times(rushes_legacy.reading, jsonb, timestamptz),
    rushes_legacy.read_run(rushes_legacy.reading, jsonb, timestamptz), rushes_legacy.read_seconds(rushes_legacy.reading, text),
    rushes_legacy.read_status(rushes_legacy.reading, jsonb, timestamptz),
    rushes_legacy.read_error(rushes_legacy.reading, jsonb, boolean),
    rushes_legacy.read_input(rushes_legacy.reading, text, text, jsonb, jsonb),
    rushes_legacy.read_multitalk(rushes_legacy.reading, jsonb, jsonb), rushes_legacy.read_picture(rushes_legacy.reading, jsonb, jsonb),
    rushes_legacy.read_result(rushes_legacy.reading), rushes_legacy.multitalk_inputs(text, jsonb),
    rushes_legacy.audio_inputs(text, text), rushes_legacy.multitalk_type(jsonb), rushes_legacy.is_bad_time(jsonb, text),
    rushes_legacy.bridge_items(text), rushes_legacy.in_order(rushes_legacy.item[]),
    rushes_legacy.item_of(text, jsonb, jsonb), rushes_legacy.name_of(jsonb), rushes_legacy.described(text, text, jsonb, jsonb),
    rushes_legacy.file_of(text), rushes_legacy.storage_reference(text), rushes_legacy.view_reference(text[]),
    rushes_legacy.view_parts(text), rushes_legacy.is_image_name(text), rushes_legacy.basename(text),
    rushes_legacy.book_prompts(rushes_legacy.source_row[]), rushes_legacy.with_prompts(text[]);
DROP TYPE rushes_legacy.circumstances;
DROP TYPE rushes_legacy.reference;
DROP TYPE rushes_legacy.item;

-- An item of a dataset; `place` is its place in the dataset's order, from 1.
CREATE TYPE rushes_legacy.item AS (
    dataset text, place integer, legacy_id text, image jsonb, caption text, created_at timestamptz, content jsonb,
    anomalies text[]);

-- ComfyUI's address of a file: ARRAY[server, filename, subfolder, type, what can't be read]; NULL for any other address.
CREATE FUNCTION rushes_legacy.view_of(url text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
DECLARE
    server text := split_part(url, '/view?', 1);
    query text := split_part(substr(url, length(server) + 7), '#', 1);
    filename text := rushes_legacy.query_value(query, 'filename');
    subfolder text := rushes_legacy.query_value(query, 'subfolder');
    type text := rushes_legacy.query_value(query, 'type');
BEGIN
    IF length(server) = length(url) OR strpos(server, '?') > 0 OR strpos(server, '#') > 0 OR coalesce(filename, '') = '' THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY[
        CASE WHEN right(server, 4) = '/api' THEN left(server, -4) ELSE server END,
        coalesce(rushes_legacy.unquoted(filename), filename), coalesce(rushes_legacy.unquoted(subfolder), subfolder),
        coalesce(rushes_legacy.unquoted(type), type),
        CASE WHEN num_nulls(rushes_legacy.unquoted(filename), rushes_legacy.unquoted(subfolder), rushes_legacy.unquoted(type))
                  > num_nulls(filename, subfolder, type) THEN 'unreadable_value' END];
END
$$;

DO $migration$
DECLARE
    macro record;

    -- Macros: {name x y} stands for the text, with x for @ and y for #2. ------------------------------------------------

    -- Quickly, unless a whole batch has been found to hold what only looks like a moment (see take_in).
    moment CONSTANT text := $$CASE WHEN @ IS NULL THEN NULL
        WHEN NOT careful AND @ LIKE '____-__-__T__:__:__%+00:00' THEN @::timestamptz
        ELSE rushes_legacy.any_moment_of(@) END$$;
    -- The part of a name after the last / or \.
    basename CONSTANT text := $$CASE WHEN strpos(@, '/') = 0 AND strpos(@, '\') = 0 THEN @
        ELSE split_part(replace(@, '\', '/'), '/', -1) END$$;
    is_image CONSTANT text := $$(lower(right(@, 4) COLLATE "C") IN ('.png', '.jpg', '.gif', '.bmp', '.tif')
        OR lower(right(@, 5) COLLATE "C") IN ('.jpeg', '.webp', '.tiff', '.avif'))$$;

    -- What a column says that may hold an address (@_told; '' and a bare ? are nothing), in three stages: what it looks like …
    form CONSTANT text := $$
        CASE WHEN @_told IS NULL THEN NULL
             WHEN starts_with(@_told, 'https://') OR starts_with(@_told, 'http://') THEN 'http'
             WHEN starts_with(@_told, 'data:') THEN 'inline'
             WHEN starts_with(@_told, 'blob:') THEN 'lost'
             -- (a scheme means the same in capitals)
             WHEN left(@_told, 8) ~* '^https?://' THEN 'http'
             WHEN lower(left(@_told, 5)) = 'data:' THEN 'inline'
             WHEN lower(left(@_told, 5)) = 'blob:' THEN 'lost'
             WHEN strpos(@_told, '://') = 0 THEN 'name'
             ELSE 'external' END AS @_form,
        CASE WHEN right(@_told, 1) = '?' THEN rtrim(@_told, '?') ELSE @_told END AS @_url$$;
    place CONSTANT text := $$
        CASE WHEN @_form = 'http' THEN strpos(@_url, '/storage/v1/object/') END AS @_place$$;
    rest CONSTANT text := $$
        CASE WHEN @_place > 0 AND strpos(left(@_url, @_place), '?') = 0 AND strpos(left(@_url, @_place), '#') = 0
             THEN split_part(split_part(substr(@_url, @_place + 19), '?', 1), '#', 1) END AS @_rest$$;
    -- … its parts (public, sign or authenticated/bucket/object) …
    parts CONSTANT text := $$
        split_part(@_rest, '/', 1) AS @_verb, split_part(@_rest, '/', 2) AS @_bucket_told$$;
    object CONSTANT text := $$
        CASE WHEN @_verb IN ('public', 'sign', 'authenticated') AND @_bucket_told <> ''
             THEN nullif(substr(@_rest, length(@_verb) + length(@_bucket_told) + 3), '') END AS @_object_told$$;
    -- … and what it is.
    kind CONSTANT text := $$
        CASE WHEN @_object_told IS NOT NULL THEN 'storage'
             WHEN @_form = 'http' THEN CASE WHEN @_view IS NULL THEN 'external' ELSE 'comfyui' END
             ELSE @_form END AS @_kind,
        CASE WHEN strpos(@_rest, '%') > 0 THEN coalesce(rushes_legacy.unquoted(@_bucket_told), @_bucket_told)
             ELSE @_bucket_told END AS @_bucket,
        CASE WHEN strpos(@_rest, '%') > 0 THEN coalesce(rushes_legacy.unquoted(@_object_told), @_object_told)
             ELSE @_object_told END AS @_object,
        CASE WHEN @_object_told IS NULL THEN @_view[5] IS NOT NULL
             WHEN strpos(@_rest, '%') > 0
             THEN rushes_legacy.unquoted(@_bucket_told) IS NULL OR rushes_legacy.unquoted(@_object_told) IS NULL
             ELSE false END AS @_unreadable$$;
    view CONSTANT text := $$
        CASE WHEN @_form = 'http' AND @_object_told IS NULL AND strpos(@_url, '/view?') > 0
             THEN rushes_legacy.view_of(@_url) END AS @_view$$;
    source CONSTANT text := $$
        CASE @_kind
            WHEN 'storage' THEN jsonb_object(ARRAY['kind', 'storage', 'bucket', @_bucket, 'path', @_object])
            WHEN 'comfyui' THEN jsonb_object(ARRAY['kind', 'comfyui', 'server', @_view[1], 'filename', @_view[2],
                'subfolder', @_view[3], 'type', @_view[4]])
            WHEN 'inline' THEN jsonb_build_object('kind', 'inline', 'content_type',
                nullif(lower(substring(left(@_told, 200) FROM '(?i)^data:([^;,]*)[;,]') COLLATE "C"), ''))
            WHEN 'lost' THEN '{"kind": "lost"}'::jsonb
            WHEN 'name' THEN jsonb_object(ARRAY['kind', 'name', 'filename', @_told])
            WHEN 'external' THEN jsonb_object(ARRAY['kind', 'external', 'url', @_url]) END AS @_source,
        -- how a file is called that is known by its source only
        CASE @_kind WHEN 'storage' THEN @_object WHEN 'comfyui' THEN @_view[2] WHEN 'name' THEN @_told
            WHEN 'external' THEN split_part(split_part(@_url, '?', 1), '#', 1) END AS @_called,
        @_kind = 'storage' AND @_bucket = 'multitalk-videos' AND {is_image @_object} AS @_wrong_type$$;
    name CONSTANT text := $$
        coalesce(nullif({basename @_called}, ''), @_kind) AS @_name$$;
    -- The workflow type of a multitalk row and the rule that found it; of any row what phase 1 wrote wins.
    type CONSTANT text := $$
        CASE
            WHEN own_type ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$' THEN ARRAY[own_type, 'column']
            WHEN legacy_table = 'style_transfers' THEN '{style-transfer,table}'
            WHEN legacy_table = 'datasets' THEN '{character-caption,table}'
            WHEN legacy_table <> 'multitalk_jobs' THEN
                CASE WHEN content ->> 'workflow_name' = 'StyleTransfer' THEN '{style-transfer,workflow_name}' ELSE '{image-edit,table}' END::text[]
            WHEN starts_with(small, 'wanvideo2_1_multitalk_multiple') OR starts_with(small, 'multitalk_multiple_video')
                OR starts_with(small, 'lipsync_multiple') THEN '{lipsync-multi,prefix}'
            WHEN starts_with(small, 'lipsync1person') OR starts_with(small, 'wanvideo2_1_multitalk')
                OR starts_with(small, 'wanvideo2_1_infinitetalk') THEN '{lipsync-one,prefix}'
            WHEN starts_with(small, 'videolipsync') OR starts_with(small, 'animatediff')
                OR starts_with(small, 'lipsyncv2v') THEN '{video-lipsync,prefix}'
            WHEN starts_with(small, 'wani2v') OR starts_with(small, 'wan_') OR starts_with(small, 'wan0') THEN '{wan-i2v,prefix}'
            WHEN starts_with(small, 'img2img_') THEN '{img2img,prefix}'
            WHEN audio = 'multiple_masks_audio' OR strpos(audio, ', ') > 0 THEN '{lipsync-multi,audio-marker}'
            WHEN lower(right(picture, 4) COLLATE "C") IN ('.mp4', '.mov', '.mkv', '.avi', '.m4v')
                OR lower(right(picture, 5) COLLATE "C") = '.webm' THEN '{video-lipsync,video-input}'
            WHEN {is_image small} OR {is_image result_object} THEN '{img2img,image-output}'
            WHEN audio IS NOT NULL THEN '{lipsync-one,audio}'
            WHEN content ->> 'trim_to_audio' = 'false' THEN
                CASE WHEN content ->> 'width' = '512' AND content ->> 'height' = '512'
                          AND coalesce(submitted, created) >= '2025-11-09 00:00:00+00'
                     THEN '{img2img,no-audio}' ELSE '{wan-i2v,no-audio}' END::text[]
            ELSE '{unknown,unknown}' END$$;
    -- UUIDv7-shaped, from the time and sha256(table|id): anybody can compute it, any time.
    digest CONSTANT text := $$encode(sha256(convert_to(@.legacy_table || '|' || @.legacy_id, 'UTF8')), 'hex')$$;
    id CONSTANT text := $$(lpad(to_hex(greatest(0, least(281474976710655, floor(extract(epoch FROM created_at) * 1000)))::bigint), 12, '0')
        || '7' || substr(digest, 1, 3) || translate(substr(digest, 4, 1), '0123456789abcdef', '89ab89ab89ab89ab')
        || substr(digest, 5, 15))::uuid$$;
    -- A prompt id that looks like a job id that is given here: another row may have it.
    given CONSTANT text := $$(starts_with(@, 'legacy:') AND @ ~ '^legacy:(multitalk_jobs|style_transfers|edited_images|datasets):')$$;
    -- As `inputs` and `outputs` keep a file (#2: what its name is called there): by its source, or once it is stored as any
    -- other file, with its source beside it.
    described CONSTANT text := $$CASE WHEN @_stored IS NULL THEN @_source || jsonb_object(ARRAY['#2', @_name])
        ELSE @_stored || jsonb_build_object('#2', @_name, 'source', @_source) END$$;
    -- What `files` stored for a slot, if the slot still says what it said then.
    stored CONSTANT text := $$CASE WHEN kept IS NOT NULL AND @_told IS NOT NULL
        THEN rushes_legacy.stored(kept, '#2', @_told) END$$;

    -- (Where all values are text, jsonb_object is quicker than jsonb_build_object, which looks up each value's type.)

    -- The rows of `came` that are wanted, read. Stage by stage, since a stage's columns can be read by later ones only;
    -- OFFSET 0 keeps the planner from working out the same value many times. ------------------------------
    mapping text := $$
        WITH told AS (
            SELECT r.legacy_table, r.legacy_id, r.content,
                   r.legacy_table = 'multitalk_jobs' AS is_multitalk, r.legacy_table = 'datasets' AS is_dataset,
                   r.content ->> 'workflow_type' AS own_type, r.content ->> 'user_id' AS own_user,
                   CASE WHEN r.legacy_table <> 'datasets' THEN r.content ->> 'status' END AS old_status,
                   r.content ->> 'created_at' AS created_told, r.content ->> 'timestamp_submitted' AS submitted_told,
                   r.content ->> 'updated_at' AS updated_told,
                   CASE WHEN r.legacy_table = 'multitalk_jobs' THEN r.content ->> 'timestamp_completed' END AS completed_told,
                   CASE WHEN r.legacy_table <> 'multitalk_jobs' THEN r.content ->> 'processing_time_seconds' END AS seconds_told,
                   nullif(rtrim(r.content ->> 'comfy_url', '/'), '') AS comfy_url,
                   r.content ->> 'user_ip' AS told_ip, r.content ->> 'model_used' AS model,
                   CASE r.legacy_table WHEN 'style_transfers' THEN nullif(r.content ->> 'comfyui_prompt_id', '') END AS prompt_id,
                   CASE r.legacy_table WHEN 'multitalk_jobs' THEN nullif(r.content ->> 'filename', '') END AS path,
                   CASE r.legacy_table WHEN 'multitalk_jobs' THEN nullif(r.content ->> 'image_filename', '') END AS picture,
                   CASE r.legacy_table WHEN 'multitalk_jobs' THEN nullif(r.content ->> 'audio_filename', '') END AS audio,
                   CASE r.legacy_table WHEN 'multitalk_jobs' THEN nullif(nullif(r.content ->> 'video_url', ''), '?') WHEN 'datasets' THEN NULL
                        ELSE nullif(nullif(r.content ->> 'result_image_url', ''), '?') END AS result_told,
                   CASE WHEN r.legacy_table NOT IN ('multitalk_jobs', 'datasets') THEN nullif(nullif(r.content ->> 'source_image_url', ''), '?') END AS source_told,
                   CASE WHEN r.legacy_table NOT IN ('multitalk_jobs', 'datasets') THEN nullif(nullif(r.content ->> 'style_image_url', ''), '?') END AS style_told,
                   CASE r.legacy_table WHEN 'multitalk_jobs' THEN NULL WHEN 'datasets' THEN nullif(r.content ->> 'name', '')
                        ELSE nullif(r.content ->> 'prompt', '') END AS prompt_text,
                   CASE WHEN has_files THEN rushes_legacy.files_of(r.legacy_table, r.legacy_id) END AS kept,
                   s.first_at, s.images, s.texts, s.anomalies AS set_anomalies,
                   {digest r} AS digest
            FROM unnest(came) AS r
            LEFT JOIN rushes_legacy.sets_of(sets) AS s ON r.legacy_table = 'datasets' AND s.dataset = r.legacy_id
            WHERE r.legacy_table = ANY (wanted) OFFSET 0
        ), seen AS (
            SELECT *, {moment created_told} AS created, nullif({basename path}, '') AS name,
                   CASE WHEN seconds_told ~ '^\d{1,9}(\.\d+)?$' THEN seconds_told::numeric END AS run_told,
                   CASE WHEN own_user <> '' THEN rushes_legacy.owner_of(content) END AS account,
                   prompt_id IS NOT NULL AND rushes_legacy.is_shared(legacy_id, prompt_id) AS is_shared,
                   {form result}, {form source}, {form style}
            FROM told OFFSET 0
        ), placed AS (
            SELECT *,
                   -- most rows say the same time more than once, and reading one costs
                   CASE WHEN submitted_told = created_told THEN created ELSE {moment submitted_told} END AS submitted,
                   CASE WHEN updated_told = created_told THEN created ELSE {moment updated_told} END AS updated,
                   {moment completed_told} AS completed,
                   lower(name COLLATE "C") AS small,
                   CASE WHEN name IS NOT NULL THEN coalesce(content ->> 'subfolder',
                       CASE WHEN length(name) < length(path) THEN left(path, -length(name) - 1) END) END AS folder,
                   CASE WHEN account IS NULL AND has_owners
                        THEN (SELECT o.user_id FROM rushes_legacy.owners AS o
                              WHERE o.legacy_table = seen.legacy_table AND o.legacy_id = seen.legacy_id)
                        ELSE account END AS user_id,
                   {place result}, {place source}, {place style}
            FROM seen OFFSET 0
        ), timed AS (
            SELECT *, coalesce(created, submitted, first_at, '1970-01-01 00:00:00+00') AS created_at,
                   CASE WHEN NOT is_multitalk THEN run_told
                        WHEN completed_told IS NOT NULL THEN extract(epoch FROM completed) - extract(epoch FROM submitted) END AS run,
                   (created IS NULL AND created_told IS NOT NULL) OR (submitted IS NULL AND submitted_told IS NOT NULL)
                       OR (updated IS NULL AND updated_told IS NOT NULL)
                       OR coalesce(created, submitted, first_at) IS NULL AS has_bad_moment,
                   {rest result}, {rest source}, {rest style}
            FROM placed OFFSET 0
        ), ran AS (
            SELECT *, CASE WHEN run BETWEEN 0 AND 86400 THEN completed END AS run_completed,
                   CASE WHEN run BETWEEN 0 AND 86400 THEN floor(run)::integer END AS run_seconds,
                   CASE WHEN is_dataset THEN 'completed'
                        WHEN old_status IN ('completed', 'cancelled') THEN old_status
                        WHEN old_status NOT IN ('submitted', 'pending', 'processing') OR old_status IS NULL THEN 'failed'
                        WHEN created_at < (chosen).stale_before THEN 'stale'
                        WHEN old_status = 'processing' THEN 'processing' ELSE 'pending' END AS became,
                   {parts result}, {parts source}, {parts style}
            FROM timed OFFSET 0
        ), ended AS (
            SELECT *, CASE became WHEN 'stale' THEN 'failed' ELSE became END AS status,
                   -- what an error is called
                   CASE WHEN became IN ('failed', 'stale') THEN coalesce(nullif(content ->> 'error_message', ''),
                       CASE WHEN legacy_table = 'edited_images' AND starts_with(model, 'Error: ') THEN model END) END AS error_told,
                   {object result}, {object source}, {object style}
            FROM ran OFFSET 0
        ), viewed AS (
            SELECT *, CASE WHEN starts_with(error_told, 'Error: ') THEN nullif(substr(error_told, 8), '') ELSE error_told END AS message,
                   {view result}, {view source}, {view style}
            FROM ended OFFSET 0
        ), known AS (
            SELECT *, {kind result}, {kind source}, {kind style} FROM viewed OFFSET 0
        ), sourced AS (
            SELECT *, {type} AS type, {source result}, {source source}, {source style} FROM known OFFSET 0
        ), named AS (
            SELECT *, type[1] AS workflow_type, type[2] AS rule,
                   -- a multitalk row without an address: known by its name on ComfyUI
                   result_told IS NULL AND name IS NOT NULL AS only_name,
                   {name result}, {name source}, {name style},
                   {stored source source_image_url} AS source_stored, {stored style style_image_url} AS style_stored
            FROM sourced OFFSET 0
        ), found AS (
            SELECT *,
                   CASE WHEN only_name THEN 'comfyui' ELSE result_kind END AS kind,
                   CASE WHEN only_name THEN jsonb_object(ARRAY['kind', 'comfyui', 'server', comfy_url, 'filename', name, 'subfolder', folder, 'type', NULL])
                        ELSE result_source END AS file_source,
                   CASE WHEN only_name THEN name ELSE result_name END AS file_name
            FROM named OFFSET 0
        ), kept AS (
            SELECT *,
                   CASE WHEN kept IS NULL THEN NULL
                        WHEN only_name THEN rushes_legacy.stored(kept, 'filename', file_source::text)
                        WHEN is_multitalk THEN {stored result video_url}
                        ELSE {stored result result_image_url} END AS file_stored,
                   array_remove(ARRAY[
                       CASE WHEN has_bad_moment OR (completed_told IS NOT NULL AND run_completed IS NULL)
                                OR (seconds_told IS NOT NULL AND run_seconds IS NULL) THEN 'bad_times' END,
                       CASE WHEN is_shared THEN 'duplicate_prompt_id' END,
                       CASE WHEN (result_kind = 'storage' AND result_verb = 'sign') OR (source_kind = 'storage' AND source_verb = 'sign')
                                OR (style_kind = 'storage' AND style_verb = 'sign') THEN 'expired_url' END,
                       CASE WHEN 'external' IN (result_kind, source_kind, style_kind) THEN 'external_url' END,
                       CASE WHEN 'inline' IN (result_kind, source_kind, style_kind) THEN 'inline_data' END,
                       CASE WHEN 'lost' IN (source_kind, style_kind) THEN 'lost_input' END,
                       CASE WHEN is_dataset OR kind = 'comfyui' THEN NULL
                            WHEN kind = 'lost' OR (kind IS NULL AND status = 'completed') THEN 'missing_file' END,
                       CASE WHEN kind = 'comfyui' AND status IN ('completed', 'failed') THEN 'not_uploaded' END,
                       CASE WHEN workflow_type = 'unknown' THEN 'unknown_type' END,
                       CASE WHEN (own_user <> '' AND account IS NULL) OR content ? 'rushes:cut' OR (rule <> 'column' AND own_type <> '')
                                OR (path IS NOT NULL AND name IS NULL) OR (is_multitalk AND {given legacy_id}) OR {given prompt_id}
                                OR result_unreadable OR source_unreadable OR style_unreadable
                                OR (NOT is_dataset AND became = 'failed' AND (old_status IS NULL OR old_status NOT IN ('failed', 'error')))
                                OR (is_dataset AND jsonb_typeof(content -> 'settings') IS DISTINCT FROM 'object') THEN 'unreadable_value' END,
                       CASE WHEN result_wrong_type OR source_wrong_type OR style_wrong_type THEN 'wrong_content_type' END], NULL) AS own_anomalies
            FROM found OFFSET 0
        ), listed AS (
            SELECT *, CASE WHEN is_dataset
                           THEN ARRAY(SELECT DISTINCT a.name COLLATE "C" FROM unnest(own_anomalies || set_anomalies) AS a (name) ORDER BY 1)
                           ELSE own_anomalies END AS anomalies,
                   -- what a job has of a run that has ended
                   status IN ('completed', 'failed', 'cancelled') AS has_ended,
                   status = 'completed' OR (kind IS NOT NULL AND status IN ('failed', 'cancelled')) AS has_outputs,
                   CASE WHEN is_dataset AND jsonb_typeof(content -> 'settings') = 'object' THEN content -> 'settings' END AS settings
            FROM kept OFFSET 0
        )
        SELECT {id} AS id,
               CASE WHEN is_multitalk AND legacy_id <> '' AND NOT {given legacy_id} THEN legacy_id
                    WHEN prompt_id IS NOT NULL AND NOT is_shared AND NOT {given prompt_id} THEN prompt_id
                    ELSE 'legacy:' || legacy_table || ':' || legacy_id END AS job_id,
               user_id, workflow_type, coalesce(nullif(content ->> 'workflow_name', ''), 'unknown') AS workflow_name, status,
               created_at, coalesce(updated, run_completed, created_at) AS updated_at,
               CASE WHEN has_ended THEN run_completed END AS completed_at,
               CASE WHEN has_ended THEN run_seconds END AS processing_time_seconds,
               CASE WHEN is_multitalk THEN
                   CASE WHEN picture IS NULL THEN '{}'
                        ELSE jsonb_build_object(CASE workflow_type WHEN 'video-lipsync' THEN 'video' ELSE 'image' END,
                            jsonb_object(ARRAY['kind', 'name', 'filename', picture])) END
                   || CASE WHEN audio IS NULL OR audio = 'multiple_masks_audio' THEN '{}'
                           WHEN workflow_type <> 'lipsync-multi' THEN jsonb_build_object('audio', jsonb_object(ARRAY['kind', 'name', 'filename', audio]))
                           ELSE jsonb_build_object('speakers', (
                               SELECT coalesce(jsonb_agg(jsonb_build_object('audio', jsonb_build_object('kind', 'name', 'filename', a.name)) ORDER BY a.place), '[]')
                               FROM unnest(string_to_array(audio, ', ')) WITH ORDINALITY AS a (name, place) WHERE a.name <> '')) END
                   -- img2img never wrote its real size
                   || CASE WHEN workflow_type = 'img2img' THEN '{}'
                           WHEN jsonb_typeof(content -> 'width') = 'number' AND jsonb_typeof(content -> 'height') = 'number'
                           THEN jsonb_build_object('width', content -> 'width', 'height', content -> 'height')
                           WHEN jsonb_typeof(content -> 'width') = 'number' THEN jsonb_build_object('width', content -> 'width')
                           WHEN jsonb_typeof(content -> 'height') = 'number' THEN jsonb_build_object('height', content -> 'height')
                           ELSE '{}' END
                   || CASE WHEN workflow_type IN ('lipsync-one', 'unknown') AND content ->> 'trim_to_audio' IS NOT NULL
                           THEN jsonb_build_object('trim_to_audio', content -> 'trim_to_audio') ELSE '{}' END
               WHEN is_dataset THEN jsonb_strip_nulls(jsonb_build_object(
                       'trigger_word', content -> 'character_trigger', 'caption_type', settings -> 'caption_type',
                       'caption_length', settings -> 'caption_length', 'user_prompt', settings -> 'user_prompt',
                       'max_tokens', settings -> 'max_new_tokens', 'temperature', settings -> 'temperature', 'top_p', settings -> 'top_p'))
                   || jsonb_build_object('images', coalesce(images, '[]'))
               ELSE CASE WHEN prompt_text IS NULL THEN '{}' ELSE jsonb_object(ARRAY['prompt', prompt_text]) END
                   || CASE WHEN source_kind IS NULL THEN '{}'
                           ELSE jsonb_build_object(CASE workflow_type WHEN 'style-transfer' THEN 'source_image' ELSE 'image' END, {described source filename}) END
                   || CASE WHEN style_kind IS NULL THEN '{}' ELSE jsonb_build_object('style_image', {described style filename}) END
               END AS inputs,
               CASE WHEN is_dataset THEN jsonb_build_object('files', '[]'::jsonb, 'reused', false, 'texts', coalesce(texts, '[]'))
                    WHEN has_outputs AND kind IS NULL THEN '{"files": [], "texts": [], "reused": false}'
                    WHEN has_outputs THEN jsonb_set('{"files": [{}], "texts": [], "reused": false}', '{files,0}', {described file name}) END AS outputs,
               CASE WHEN has_outputs AND file_stored IS NOT NULL THEN jsonb_build_array('/storage/' || (file_stored ->> 'key')) ELSE '[]' END AS result_urls,
               prompt_text, comfy_url,
               CASE WHEN only_name OR result_kind <> 'comfyui' OR result_kind IS NULL THEN name ELSE result_view[2] END AS comfyui_output_filename,
               CASE WHEN only_name OR result_kind <> 'comfyui' OR result_kind IS NULL THEN folder ELSE result_view[3] END AS comfyui_output_subfolder,
               CASE WHEN NOT only_name AND result_kind = 'comfyui' THEN result_view[4] END AS comfyui_output_type,
               CASE WHEN became = 'stale' THEN coalesce(message, 'Nobody recorded how this job ended.') ELSE message END AS error_message,
               CASE WHEN became = 'stale' THEN 'legacy_stale'
                    WHEN became <> 'failed' THEN NULL
                    WHEN message IN ('Job timed out - likely cancelled or failed', 'Job exceeded maximum runtime (4 hours)') THEN 'legacy_timeout'
                    ELSE 'legacy_error' END AS error_code,
               CASE WHEN user_id IS NULL THEN (chosen).visibility ELSE 'private' END AS visibility,
               CASE WHEN told_ip NOT IN ('', 'unknown') THEN told_ip END AS user_ip,
               CASE WHEN legacy_table <> 'edited_images' OR NOT starts_with(model, 'Error: ') THEN nullif(model, '') END AS model_used,
               jsonb_build_object('legacy', jsonb_object(ARRAY['type_rule', rule, 'status', old_status, 'result_kind', kind])
                   || CASE WHEN anomalies = '{}' THEN '{"anomalies": []}' ELSE jsonb_build_object('anomalies', anomalies) END) AS metadata,
               legacy_table, legacy_id, content
        FROM listed$$;
    mapped CONSTANT text := 'id, job_id, user_id, workflow_type, workflow_name, status, created_at, updated_at, completed_at,
        processing_time_seconds, inputs, outputs, result_urls, prompt_text, comfy_url, comfyui_output_filename,
        comfyui_output_subfolder, comfyui_output_type, error_message, error_code, visibility, user_ip, model_used, metadata,
        legacy_table, legacy_id';
    insertion CONSTANT text := $$
        INSERT INTO public.workflow_jobs AS j (<mapped>, origin, available_at, legacy_row)
        SELECT <mapped>, 'legacy', n.created_at, n.content FROM (<mapping>) AS n$$;
    put_jobs text := $function$
-- One job a row; a job that is the same stays untouched. `fresh`: none of these rows has ever been here.
CREATE FUNCTION rushes_legacy.put_jobs(came rushes_legacy.source_row[], wanted text[], sets rushes_legacy.item[], fresh boolean)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = '' SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    chosen rushes_legacy.choices := (SELECT c FROM rushes_legacy.choices AS c);
    has_owners boolean := EXISTS (SELECT FROM rushes_legacy.owners);
    has_files boolean := EXISTS (SELECT FROM rushes_legacy.files WHERE state = 'stored');
    careful boolean := coalesce(current_setting('rushes_legacy.careful', true), '') = 'on';
    written bigint;
BEGIN
    IF fresh THEN
        <insertion>;
    ELSE
        <insertion>
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
    END IF;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END
$$
    $function$;
    old_jobs text := $function$
-- What old rows that have no job yet will become; the newest first.
CREATE FUNCTION rushes_legacy.old_jobs(came rushes_legacy.source_row[]) RETURNS SETOF rushes_legacy.reading
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = '' SET timezone = 'UTC' SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    wanted CONSTANT text[] := ARRAY(SELECT DISTINCT c.legacy_table FROM unnest(came) AS c);
    sets CONSTANT rushes_legacy.item[] := CASE WHEN 'datasets' = ANY (wanted) THEN ARRAY(
        SELECT i FROM unnest(came) AS c CROSS JOIN LATERAL unnest(rushes_legacy.bridge_items(c.legacy_id)) AS i
        WHERE c.legacy_table = 'datasets') END;
    chosen rushes_legacy.choices := (SELECT c FROM rushes_legacy.choices AS c);
    has_owners CONSTANT boolean := EXISTS (SELECT FROM rushes_legacy.owners);
    has_files CONSTANT boolean := EXISTS (SELECT FROM rushes_legacy.files WHERE state = 'stored');
    careful CONSTANT boolean := true;
BEGIN
    chosen.stale_before := greatest(chosen.stale_before, now() - chosen.stale_after);
    RETURN QUERY SELECT <mapped> FROM (<mapping>) AS n ORDER BY n.id DESC;
END
$$
    $function$;
    items_of text := $function$
-- The items of datasets among these rows, each at its place in the dataset's order: by time, then by name as people count.
CREATE FUNCTION rushes_legacy.items_of(came rushes_legacy.source_row[]) RETURNS SETOF rushes_legacy.item
LANGUAGE plpgsql STABLE SET search_path = '' SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    has_files boolean := EXISTS (SELECT FROM rushes_legacy.files WHERE state = 'stored');
    careful boolean := coalesce(current_setting('rushes_legacy.careful', true), '') = 'on';
BEGIN
    RETURN QUERY
    WITH told AS (
        SELECT c.legacy_id, c.content, c.content ->> 'dataset_id' AS dataset, nullif(nullif(c.content ->> 'image_url', ''), '?') AS image_told,
               c.content ->> 'image_name' AS image_name, nullif(c.content ->> 'caption', '') AS caption_told,
               c.content ->> 'created_at' AS created_told
        FROM unnest(came) AS c WHERE c.legacy_table = 'data' OFFSET 0
    ), seen AS (
        SELECT *, {moment created_told} AS created,
               caption_told = 'Error generating caption' OR strpos(caption_told, 'ComfyUI processing failed:') > 0 AS has_failed,
               CASE WHEN has_files THEN (
                   SELECT f.file FROM rushes_legacy.files AS f
                   WHERE f.legacy_table = 'datasets' AND f.legacy_id = told.dataset AND f.slot = told.legacy_id AND f.state = 'stored'
                     AND f.source = encode(sha256(convert_to(image_told, 'UTF8')), 'hex')) END AS image_stored,
               {form image}
        FROM told OFFSET 0
    ), placed AS (SELECT *, {place image} FROM seen OFFSET 0
    ), rested AS (SELECT *, {rest image} FROM placed OFFSET 0
    ), parted AS (SELECT *, {parts image} FROM rested OFFSET 0
    ), objects AS (SELECT *, {object image} FROM parted OFFSET 0
    ), viewed AS (SELECT *, {view image} FROM objects OFFSET 0
    ), known AS (SELECT *, {kind image} FROM viewed OFFSET 0
    ), sourced AS (SELECT *, {source image} FROM known OFFSET 0)
    SELECT dataset,
           (row_number() OVER (PARTITION BY dataset ORDER BY created NULLS LAST,
                rushes_legacy.natural_key(image_name) COLLATE "C", image_name COLLATE "C", legacy_id COLLATE "C"))::integer,
           legacy_id,
           CASE WHEN image_stored IS NULL THEN coalesce(image_source, '{"kind": "name"}') || jsonb_build_object('filename', image_name)
                ELSE image_stored || jsonb_build_object('filename', image_name, 'source', coalesce(image_source, '{"kind": "name"}')) END,
           CASE WHEN NOT has_failed THEN caption_told END, created, content,
           array_remove(ARRAY[
               CASE WHEN created IS NULL AND created_told IS NOT NULL THEN 'bad_times' END,
               CASE WHEN image_kind = 'storage' AND image_verb = 'sign' THEN 'expired_url' END,
               CASE image_kind WHEN 'external' THEN 'external_url' WHEN 'inline' THEN 'inline_data' WHEN 'lost' THEN 'lost_input' END,
               CASE WHEN has_failed THEN 'failed_caption' END,
               CASE WHEN caption_told IS NULL THEN 'missing_caption' END,
               CASE WHEN image_kind IS NULL THEN 'missing_file' END,
               CASE WHEN image_unreadable OR content ? 'rushes:cut' THEN 'unreadable_value' END,
               CASE WHEN image_wrong_type THEN 'wrong_content_type' END], NULL)
    FROM sourced;
END
$$
    $function$;
    type_of text := $function$
-- The workflow type of any row and the rule that found it.
CREATE OR REPLACE FUNCTION rushes_legacy.type_of(legacy_table text, content jsonb) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = '' SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    careful CONSTANT boolean := true;
BEGIN
    RETURN (
        WITH told AS (
            SELECT r.legacy_table, r.content, r.content ->> 'workflow_type' AS own_type, r.content ->> 'filename' AS path,
                   r.content ->> 'image_filename' AS picture, nullif(r.content ->> 'audio_filename', '') AS audio,
                   r.content ->> 'created_at' AS created_told, r.content ->> 'timestamp_submitted' AS submitted_told,
                   CASE r.legacy_table WHEN 'multitalk_jobs' THEN nullif(nullif(r.content ->> 'video_url', ''), '?') END AS result_told
            FROM (VALUES (type_of.legacy_table, type_of.content)) AS r (legacy_table, content) OFFSET 0
        ), formed AS (SELECT *, lower({basename path} COLLATE "C") AS small, {form result} FROM told OFFSET 0
        ), placed AS (SELECT *, {place result} FROM formed OFFSET 0
        ), rested AS (SELECT *, {rest result} FROM placed OFFSET 0
        ), parted AS (SELECT *, {parts result} FROM rested OFFSET 0
        ), objects AS (SELECT *, {object result}, {moment created_told} AS created, {moment submitted_told} AS submitted FROM parted OFFSET 0
        ), viewed AS (SELECT *, {view result} FROM objects OFFSET 0
        ), known AS (SELECT *, {kind result} FROM viewed OFFSET 0)
        SELECT {type} FROM known);
END
$$
    $function$;
    moment_of text := $function$
CREATE OR REPLACE FUNCTION rushes_legacy.moment_of(told text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    careful boolean := coalesce(current_setting('rushes_legacy.careful', true), '') = 'on';
BEGIN
    RETURN {moment told};
END
$$
    $function$;
    id_of text := $function$
CREATE OR REPLACE FUNCTION rushes_legacy.id_of(legacy_table text, legacy_id text, created_at timestamptz) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
DECLARE
    digest text := {digest id_of};
BEGIN
    RETURN {id};
END
$$
    $function$;
    statement text;
BEGIN
    FOREACH statement IN ARRAY ARRAY[put_jobs, replace(old_jobs, '<mapping>', replace(mapping, 'rushes_legacy.is_shared', 'rushes_legacy.bridge_shared')),
                                     items_of, type_of, moment_of, id_of] LOOP
        statement := replace(replace(replace(statement, '<insertion>', insertion), '<mapping>', mapping), '<mapped>', mapped);
        FOR macro IN SELECT * FROM (VALUES
            ('stored', stored), ('described', described), ('form', form), ('place', place), ('rest', rest), ('parts', parts),
            ('object', object), ('view', view), ('kind', kind), ('source', source), ('name', name), ('type', type), ('id', id),
            ('digest', digest), ('given', given), ('moment', moment), ('is_image', is_image), ('basename', basename)) AS m (name, text)
        LOOP
            statement := regexp_replace(statement, format('\{%s(?: (\w+))?(?: (\w+))?\}', macro.name),
                replace(replace(replace(macro.text, '\', '\\'), '@', '\1'), '#2', '\2'), 'g');
        END LOOP;
        EXECUTE statement;
    END LOOP;
END
$migration$;

-- Datasets ----------------------------------------------------------------------------------------------

-- What a dataset has of its items. `ROWS` is large so that it is joined by hash.
CREATE FUNCTION rushes_legacy.sets_of(items rushes_legacy.item[])
RETURNS TABLE (dataset text, first_at timestamptz, images jsonb, texts jsonb, anomalies text[])
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = ''
AS $$
BEGIN
    RETURN QUERY
    SELECT i.dataset, min(i.created_at), jsonb_agg(i.image ORDER BY i.place),
           jsonb_agg(jsonb_build_object('name', 'caption', 'item', i.place, 'text', i.caption) ORDER BY i.place) FILTER (WHERE i.caption IS NOT NULL),
           string_to_array(string_agg(nullif(array_to_string(i.anomalies, ','), ''), ','), ',')
    FROM unnest(items) AS i GROUP BY i.dataset;
END
$$;

-- A key that text sorts by in natural order: 2 before 10.
CREATE OR REPLACE FUNCTION rushes_legacy.natural_key(name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
BEGIN
    RETURN coalesce((
        SELECT string_agg(
            CASE WHEN part[1] IS NULL THEN part[2]
                 ELSE '0' || lpad(length(ltrim(part[1], '0'))::text, 6, '0') || ltrim(part[1], '0') END, E'\x01')
        FROM regexp_matches(name, '([0-9]+)|([^0-9]+)', 'g') AS part), '');
END
$$;

-- A dataset's items, from the old table.
CREATE FUNCTION rushes_legacy.bridge_items(dataset text) RETURNS rushes_legacy.item[]
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    came rushes_legacy.source_row[];
BEGIN
    IF to_regclass('public.data') IS NOT NULL THEN
        EXECUTE $query$SELECT array_agg(ROW('data', t.id::text, to_jsonb(t))::rushes_legacy.source_row) FROM public.data AS t
                       WHERE t.dataset_id = $1::uuid$query$ INTO came USING dataset;
    END IF;
    RETURN ARRAY(SELECT i FROM rushes_legacy.items_of(came) AS i);
END
$$;

-- The bridge ------------------------------------------------------------------------------------------------

-- What an old row that has no job yet will become.
CREATE OR REPLACE FUNCTION rushes_legacy.old_job(name text, id text, content jsonb) RETURNS rushes_legacy.reading
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    RETURN (SELECT o FROM rushes_legacy.old_jobs(ARRAY[ROW(name, id, content)::rushes_legacy.source_row]) AS o);
END
$$;

-- Beside rushes.feed_rows: the newest old rows that pass the filter. What passes is found by reading, portion by
-- portion, so it looks no further than the newest 20,000.
CREATE OR REPLACE FUNCTION rushes.bridge_rows(f rushes.job_filter, everyone boolean, most integer)
RETURNS TABLE (id uuid, workflow_type text, status text)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = ''
AS $$
DECLARE
    came rushes_legacy.source_row[];
    m rushes_legacy.reading;
    before uuid := (f).before_id;
    size integer := most;
    looked_at integer := 0;
    found_rows integer := 0;
BEGIN
    IF to_regclass('rushes_legacy.bridge') IS NULL OR (f).trash OR most < 1 THEN
        RETURN;
    ELSIF NOT (rushes.is_admin() AND everyone)
        AND NOT (everyone AND rushes.sees(NULL, (SELECT c.visibility FROM rushes_legacy.choices AS c)))
        AND NOT rushes_legacy.bridge_has_owners() THEN
        RETURN; -- nothing there is theirs to see
    END IF;
    LOOP
        EXECUTE 'SELECT array_agg(ROW(b.legacy_table, b.legacy_id, b.content)::rushes_legacy.source_row), (array_agg(b.id ORDER BY b.id))[1]
                 FROM (SELECT * FROM rushes_legacy.bridge AS b
                       WHERE b.id < coalesce($1, ''ffffffff-ffff-ffff-ffff-ffffffffffff'')
                         AND b.id >= coalesce($2, ''00000000-0000-0000-0000-000000000000'')
                       ORDER BY b.id DESC LIMIT $3) AS b' INTO came, before USING before, (f).from_id, size;
        FOR m IN SELECT * FROM rushes_legacy.old_jobs(came) LOOP
            IF rushes_legacy.bridge_passes(m, f)
                AND (rushes.sees(m.user_id, m.visibility) AND everyone OR coalesce(m.user_id = auth.uid(), false)) THEN
                id := m.id;
                workflow_type := m.workflow_type;
                status := m.status;
                RETURN NEXT;
                found_rows := found_rows + 1;
                EXIT WHEN found_rows >= most;
            END IF;
        END LOOP;
        looked_at := looked_at + coalesce(cardinality(came), 0);
        EXIT WHEN found_rows >= most OR looked_at >= 20000 OR coalesce(cardinality(came), 0) < size;
        size := least(greatest(size * 2, 100), 2000);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION rushes.bridge_cards(ids uuid[]) RETURNS TABLE (id uuid, card json)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = ''
AS $$
DECLARE
    came rushes_legacy.source_row[];
    m rushes_legacy.reading;
BEGIN
    IF to_regclass('rushes_legacy.bridge') IS NULL OR cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    EXECUTE 'SELECT array_agg(ROW(b.legacy_table, b.legacy_id, b.content)::rushes_legacy.source_row)
             FROM rushes_legacy.bridge AS b WHERE b.id = ANY ($1)' INTO came USING ids;
    FOR m IN SELECT * FROM rushes_legacy.old_jobs(came) LOOP
        IF rushes.sees(m.user_id, m.visibility) THEN
            id := m.id;
            card := to_json(rushes_legacy.bridge_card(m));
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;

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
