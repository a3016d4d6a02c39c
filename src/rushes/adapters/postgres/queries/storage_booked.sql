-- Which of these keys are to be deleted anyway.
WITH asked AS (
    SELECT k.key, substring(k.key FROM '^[^/]+/[^/]+/[^/]+/') AS folder FROM unnest(%(keys)s::text[]) AS k (key)
), booked AS MATERIALIZED (
    SELECT o.target #>> '{}' AS target FROM public.storage_outbox AS o WHERE o.action = 'delete_prefix'
    UNION
    SELECT one.key FROM public.storage_outbox AS o
    CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE WHEN jsonb_typeof(o.target) = 'array' THEN o.target ELSE '[]' END) AS one (key)
    WHERE o.action = 'delete_keys'
)
SELECT a.key FROM asked AS a
WHERE a.key IN (SELECT b.target FROM booked AS b) OR a.folder IN (SELECT b.target FROM booked AS b)
