-- The row rules of a takeover: what a row of an old table becomes. Pure functions of the row (as JSON, so that a
-- missing or an added column does no harm), called for whole batches by `migrate` and row by row by the views.
-- `rushes legacy verify` has the same rules again, in Python: change both.

-- A row of an old table; an item of a dataset is a row of `data`.
CREATE TYPE rushes_legacy.source_row AS (legacy_table text, legacy_id text, content jsonb);
-- A reference to a file, read: what it is (kind and where), and what is wrong with it.
CREATE TYPE rushes_legacy.reference AS (source jsonb, anomalies text[]);
-- An item of a dataset, in the order of `place`.
CREATE TYPE rushes_legacy.item AS (
    place integer, legacy_id text, filename text, image jsonb, caption text, created_at timestamptz, content jsonb,
    anomalies text[]);
-- What else decides what a row becomes.
CREATE TYPE rushes_legacy.circumstances AS (
    shared_prompt boolean, owner uuid, unknown_owner boolean, visibility text, stale_before timestamptz, kept jsonb,
    items rushes_legacy.item[]);

-- Reading values ------------------------------------------------------------------------------------

-- NULL for what is no moment; infinity is none.
CREATE FUNCTION rushes_legacy.any_moment_of(told text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    IF told ~ '^\d{4,6}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[+-]\d\d(?::\d\d){0,2})?(?: BC)?$' THEN
        RETURN told::timestamptz;
    END IF;
    RETURN NULL;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$;

-- The same; quickly, unless a whole batch has been found to hold what only looks like a moment (see take_in).
CREATE FUNCTION rushes_legacy.moment_of(told text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    IF told IS NULL THEN
        RETURN NULL;
    ELSIF told LIKE '____-__-__T__:__:__%+00:00' AND coalesce(current_setting('rushes_legacy.careful', true), '') <> 'on' THEN
        RETURN told::timestamptz;
    END IF;
    RETURN rushes_legacy.any_moment_of(told);
END
$$;

-- '' is nothing.
CREATE FUNCTION rushes_legacy.present(told text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$ BEGIN RETURN CASE WHEN told <> '' THEN told END; END $$;

-- Percent signs decoded; NULL when they are broken, or no UTF-8, or NUL.
CREATE FUNCTION rushes_legacy.unquoted(told text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
BEGIN
    IF strpos(told, '%') = 0 THEN
        RETURN told;
    ELSIF told ~ '%(?![0-9A-Fa-f]{2})' OR told ~ '%00' THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT convert_from(string_agg(
                CASE WHEN part[1] IS NULL THEN convert_to(part[2], 'UTF8') ELSE decode(part[1], 'hex') END,
                '' ORDER BY place), 'UTF8')
            FROM regexp_matches(told, '%([0-9A-Fa-f]{2})|([^%]+)', 'g') WITH ORDINALITY AS parts (part, place));
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$;

-- The part of a name after the last / or \.
CREATE FUNCTION rushes_legacy.basename(path text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
BEGIN
    RETURN CASE WHEN strpos(path, '/') = 0 AND strpos(path, '\') = 0 THEN path
                ELSE substring(path FROM '[^/\\]*$') END;
END
$$;

CREATE FUNCTION rushes_legacy.is_image_name(name text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$ BEGIN RETURN coalesce(name ~* '\.(?:png|jpe?g|webp|gif|bmp|tiff?|avif)$', false); END $$;

-- UUIDv7-shaped, from the time and sha256(table|id): anybody can compute it, any time.
CREATE FUNCTION rushes_legacy.id_of(legacy_table text, legacy_id text, created_at timestamptz) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
DECLARE
    digest text := encode(sha256(convert_to(legacy_table || '|' || legacy_id, 'UTF8')), 'hex');
    milliseconds bigint := greatest(0, least(281474976710655, floor(extract(epoch FROM created_at) * 1000)));
BEGIN
    RETURN (lpad(to_hex(milliseconds), 12, '0') || '7' || substr(digest, 1, 3)
        || translate(substr(digest, 4, 1), '0123456789abcdef', '89ab89ab89ab89ab') || substr(digest, 5, 15))::uuid;
END
$$;

-- A key that text sorts by in natural order: 2 before 10.
CREATE FUNCTION rushes_legacy.natural_key(name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
BEGIN
    RETURN coalesce((
        SELECT string_agg(
            CASE WHEN part[1] IS NULL THEN part[2]
                 ELSE '0' || lpad(length(ltrim(part[1], '0'))::text, 6, '0') || ltrim(part[1], '0') END,
            E'\x01' ORDER BY place)
        FROM regexp_matches(name, '([0-9]+)|([^0-9]+)', 'g') WITH ORDINALITY AS parts (part, place)), '');
END
$$;

-- Files -------------------------------------------------------------------------------------------

-- A parameter of a query string; NULL when it isn't there.
CREATE FUNCTION rushes_legacy.query_value(query text, name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
DECLARE
    place integer := strpos('&' || query, '&' || name || '=');
BEGIN
    RETURN CASE WHEN place > 0 THEN replace(split_part(substr(query, place + length(name) + 1), '&', 1), '+', ' ') END;
END
$$;

-- ARRAY[server, query]
CREATE FUNCTION rushes_legacy.view_parts(url text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
DECLARE
    server text := split_part(url, '/view?', 1);
    query text := split_part(substr(url, length(server) + 7), '#', 1);
BEGIN
    RETURN CASE WHEN length(server) < length(url) AND strpos(server, '?') = 0 AND strpos(server, '#') = 0
        AND coalesce(rushes_legacy.query_value(query, 'filename'), '') <> ''
        THEN ARRAY[CASE WHEN right(server, 4) = '/api' THEN left(server, -4) ELSE server END, query] END;
END
$$;

-- A storage URL, public or signed; NULL for any other. Regular expressions that capture would cost a tenth of a
-- millisecond a row; this only cuts.
CREATE FUNCTION rushes_legacy.storage_reference(url text) RETURNS rushes_legacy.reference
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
DECLARE
    place integer := strpos(url, '/storage/v1/object/');
    rest text := split_part(split_part(substr(url, place + 19), '?', 1), '#', 1);
    verb text := split_part(rest, '/', 1);
    bucket text := split_part(rest, '/', 2);
    path text := substr(rest, length(verb) + length(bucket) + 3);
    wrong text[] := CASE WHEN verb = 'sign' THEN '{expired_url}' ELSE '{}' END;
BEGIN
    IF place = 0 OR verb NOT IN ('public', 'sign', 'authenticated') OR bucket = '' OR path = ''
        OR strpos(left(url, place), '?') > 0 OR strpos(left(url, place), '#') > 0 THEN
        RETURN NULL;
    END IF;
    IF strpos(rest, '%') > 0 THEN
        IF rushes_legacy.unquoted(bucket) IS NULL OR rushes_legacy.unquoted(path) IS NULL THEN
            wrong := wrong || 'unreadable_value'::text;
        END IF;
        bucket := coalesce(rushes_legacy.unquoted(bucket), bucket);
        path := coalesce(rushes_legacy.unquoted(path), path);
    END IF;
    IF bucket = 'multitalk-videos' AND rushes_legacy.is_image_name(path) THEN
        wrong := wrong || 'wrong_content_type'::text;
    END IF;
    RETURN (jsonb_build_object('kind', 'storage', 'bucket', bucket, 'path', path), wrong);
END
$$;

CREATE FUNCTION rushes_legacy.view_reference(parts text[]) RETURNS rushes_legacy.reference
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
DECLARE
    told text[] := ARRAY[rushes_legacy.query_value(parts[2], 'filename'),
        rushes_legacy.query_value(parts[2], 'subfolder'), rushes_legacy.query_value(parts[2], 'type')];
    read text[] := ARRAY[rushes_legacy.unquoted(told[1]), rushes_legacy.unquoted(told[2]),
        rushes_legacy.unquoted(told[3])];
    wrong text[] := CASE WHEN (told[1] IS NOT NULL AND read[1] IS NULL) OR (told[2] IS NOT NULL AND read[2] IS NULL)
        OR (told[3] IS NOT NULL AND read[3] IS NULL) THEN '{unreadable_value}' ELSE '{}' END;
BEGIN
    RETURN (jsonb_build_object('kind', 'comfyui', 'server', parts[1], 'filename', coalesce(read[1], told[1]),
        'subfolder', coalesce(read[2], told[2]), 'type', coalesce(read[3], told[3])), wrong);
END
$$;

-- What a column that may hold a URL says; NULL for nothing ('' is nothing).
CREATE FUNCTION rushes_legacy.file_of(told text) RETURNS rushes_legacy.reference
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
DECLARE
    url text;
    parts text[];
    reference rushes_legacy.reference;
BEGIN
    IF told IS NULL OR told = '' THEN
        RETURN NULL;
    ELSIF starts_with(told, 'data:') THEN
        RETURN (jsonb_build_object('kind', 'inline', 'content_type',
            rushes_legacy.present(substring(left(told, 200) FROM '^data:([^;,]*)[;,]'))), '{inline_data}'::text[]);
    ELSIF starts_with(told, 'blob:') THEN
        RETURN ('{"kind": "lost"}'::jsonb, '{}'::text[]);
    ELSIF strpos(told, '://') = 0 THEN
        RETURN (jsonb_build_object('kind', 'name', 'filename', told), '{}'::text[]);
    END IF;
    url := rtrim(told, '?');
    IF starts_with(url, 'https://') OR starts_with(url, 'http://') THEN
        reference := rushes_legacy.storage_reference(url);
        IF reference.source IS NOT NULL THEN
            RETURN reference;
        END IF;
        parts := rushes_legacy.view_parts(url);
        IF parts IS NOT NULL THEN
            RETURN rushes_legacy.view_reference(parts);
        END IF;
    END IF;
    RETURN (jsonb_build_object('kind', 'external', 'url', url), '{external_url}'::text[]);
END
$$;

-- How a file is called that is known by its source only.
CREATE FUNCTION rushes_legacy.name_of(source jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
BEGIN
    RETURN coalesce(nullif(rushes_legacy.basename(CASE source ->> 'kind'
        WHEN 'storage' THEN source ->> 'path'
        WHEN 'external' THEN regexp_replace(source ->> 'url', '[?#].*$', '')
        ELSE source ->> 'filename' END), ''), source ->> 'kind');
END
$$;

-- As `inputs` and `outputs` keep a file: by its source, or once it is stored as any other file, with its source beside it.
CREATE FUNCTION rushes_legacy.described(name_key text, name text, source jsonb, stored jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
BEGIN
    RETURN CASE WHEN stored IS NULL THEN source || jsonb_build_object(name_key, name)
                ELSE stored || jsonb_build_object(name_key, name, 'source', source) END;
END
$$;

-- What `files` stored for a slot, if the slot still says what it said then.
CREATE FUNCTION rushes_legacy.stored(kept jsonb, slot text, told text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = ''
AS $$
BEGIN
    RETURN CASE WHEN kept IS NULL THEN NULL
        WHEN kept #>> ARRAY[slot, 'source'] = encode(sha256(convert_to(told, 'UTF8')), 'hex') THEN kept #> ARRAY[slot, 'file'] END;
END
$$;

-- The rules -----------------------------------------------------------------------------------------

-- The workflow type of a multitalk row and the rule that found it.
CREATE FUNCTION rushes_legacy.multitalk_type(content jsonb) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
DECLARE
    path text := content ->> 'filename';
    name text := lower(CASE WHEN strpos(path, '/') + strpos(path, '\') > 0 THEN rushes_legacy.basename(path) ELSE path END COLLATE "C");
    audio text := nullif(content ->> 'audio_filename', '');
    object text;
BEGIN
    IF starts_with(name, 'wanvideo2_1_multitalk_multiple')
        OR starts_with(name, 'multitalk_multiple_video')
        OR starts_with(name, 'lipsync_multiple') THEN
        RETURN '{lipsync-multi,prefix}';
    ELSIF starts_with(name, 'lipsync1person')
        OR starts_with(name, 'wanvideo2_1_multitalk')
        OR starts_with(name, 'wanvideo2_1_infinitetalk') THEN
        RETURN '{lipsync-one,prefix}';
    ELSIF starts_with(name, 'videolipsync')
        OR starts_with(name, 'animatediff')
        OR starts_with(name, 'lipsyncv2v') THEN
        RETURN '{video-lipsync,prefix}';
    ELSIF starts_with(name, 'wani2v')
        OR starts_with(name, 'wan_')
        OR starts_with(name, 'wan0') THEN
        RETURN '{wan-i2v,prefix}';
    ELSIF starts_with(name, 'img2img_') THEN
        RETURN '{img2img,prefix}';
    ELSIF audio = 'multiple_masks_audio' OR strpos(audio, ', ') > 0 THEN
        RETURN '{lipsync-multi,audio-marker}';
    ELSIF content ->> 'image_filename' ~* '\.(?:mp4|mov|webm|mkv|avi|m4v)$' THEN
        RETURN '{video-lipsync,video-input}';
    END IF;
    IF strpos(content ->> 'video_url', '/storage/v1/object/') > 0 THEN
        object := (rushes_legacy.file_of(content ->> 'video_url')).source ->> 'path';
    END IF;
    IF rushes_legacy.is_image_name(name) OR rushes_legacy.is_image_name(object) THEN
        RETURN '{img2img,image-output}';
    ELSIF audio IS NULL AND content ->> 'trim_to_audio' = 'false' THEN
        RETURN CASE WHEN content ->> 'width' = '512' AND content ->> 'height' = '512'
            AND coalesce(rushes_legacy.moment_of(content ->> 'timestamp_submitted'),
                         rushes_legacy.moment_of(content ->> 'created_at')) >= '2025-11-09 00:00:00+00'
            THEN '{img2img,no-audio}' ELSE '{wan-i2v,no-audio}' END::text[];
    ELSIF audio IS NOT NULL THEN
        RETURN '{lipsync-one,audio}';
    END IF;
    RETURN '{unknown,unknown}';
END
$$;

-- The workflow type of any row and the rule that found it; what phase 1 wrote wins.
CREATE FUNCTION rushes_legacy.type_of(legacy_table text, content jsonb) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = ''
AS $$
BEGIN
    IF content ->> 'workflow_type' ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$' THEN
        RETURN ARRAY[content ->> 'workflow_type', 'column'];
    END IF;
    RETURN CASE
        WHEN legacy_table = 'multitalk_jobs' THEN rushes_legacy.multitalk_type(content)
        WHEN legacy_table = 'style_transfers' THEN '{style-transfer,table}'
        WHEN legacy_table = 'datasets' THEN '{character-caption,table}'
        WHEN content ->> 'workflow_name' = 'StyleTransfer' THEN '{style-transfer,workflow_name}'
        ELSE '{image-edit,table}' END;
END
$$;
