SELECT 'data'::text, t.id::text, {content} FROM {relation} AS t
CROSS JOIN LATERAL (SELECT t.dataset_id AS dataset) AS w
WHERE t.dataset_id IN (SELECT t.id FROM {datasets} AS t WHERE {range})
