-- Have objects deleted that no row names; asked once more, in the same moment.
WITH free AS (
    SELECT k.key FROM unnest(%(keys)s::text[], %(ids)s::uuid[]) AS k (key, id)
    WHERE NOT EXISTS (
        SELECT FROM public.workflow_jobs AS j
        WHERE j.id = k.id AND (
            j.status NOT IN ('completed', 'failed', 'cancelled')
            OR jsonb_path_exists(
                jsonb_build_array(j.inputs, j.outputs),
                'strict $.** ? (@.key == $key || @.poster_key == $key || @.thumb_key == $key)',
                jsonb_build_object('key', k.key), true)))
      AND NOT EXISTS (SELECT FROM public.uploads AS u WHERE u.id = k.id OR coalesce(u.object_key, u.key) = k.key)
)
INSERT INTO public.storage_outbox (action, target)
SELECT 'delete_keys', jsonb_agg(f.key) FROM free AS f HAVING count(*) > 0
