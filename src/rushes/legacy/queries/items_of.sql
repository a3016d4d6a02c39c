SELECT 'data'::text, t.id::text, {content} FROM {relation} AS t
WHERE t.dataset_id IN (SELECT t.id FROM {datasets} AS t WHERE {range})
