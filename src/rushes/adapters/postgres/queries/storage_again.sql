-- The same of single jobs, as they are by now.
SELECT j.id, j.status IN ('completed', 'failed', 'cancelled') AS ended,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(f.key, f.size)), '[]') FROM (
        SELECT named ->> 'key' AS key,
               CASE WHEN jsonb_typeof(named -> 'size_bytes') = 'number' THEN (named ->> 'size_bytes')::numeric END AS size
        FROM jsonb_path_query(jsonb_build_array(j.inputs, j.outputs),
                              'strict $.** ? (@.key.type() == "string")', '{}', true) AS named
        UNION ALL
        SELECT derived.key, NULL
        FROM jsonb_path_query(j.outputs, 'strict $.files[*]', '{}', true) AS file
        CROSS JOIN LATERAL (VALUES (file ->> 'poster_key'), (file ->> 'thumb_key')) AS derived (key)
    ) AS f WHERE f.key ~ '^(workflows|uploads)/') AS files
FROM public.workflow_jobs AS j
WHERE j.id = ANY (%(ids)s)
