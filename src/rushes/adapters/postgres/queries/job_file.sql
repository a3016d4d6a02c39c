-- The file of a job that has this key: an output, a picture derived from one, or an input at any depth.
SELECT coalesce(
    (SELECT file FROM jsonb_array_elements(
        CASE WHEN jsonb_typeof(j.outputs -> 'files') = 'array' THEN j.outputs -> 'files' ELSE '[]' END) AS file
     WHERE file ->> 'key' = %(key)s LIMIT 1),
    (SELECT jsonb_build_object('content_type', 'image/webp') FROM jsonb_array_elements(
        CASE WHEN jsonb_typeof(j.outputs -> 'files') = 'array' THEN j.outputs -> 'files' ELSE '[]' END) AS file
     WHERE %(key)s IN (file ->> 'poster_key', file ->> 'thumb_key') LIMIT 1),
    jsonb_path_query_first(j.inputs, 'strict $.** ? (@.key == $key)',
                           jsonb_build_object('key', %(key)s::text), true)) AS body
FROM public.workflow_jobs AS j
WHERE j.id = %(id)s
