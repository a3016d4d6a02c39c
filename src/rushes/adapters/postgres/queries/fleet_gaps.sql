-- Pairs of server and need without a verdict, or with one of an older catalog.
SELECT s.id, s.catalog, r.digest, r.workflow_type, r.node_classes, r.models, r.model_set
FROM public.comfy_servers AS s
CROSS JOIN public.workflow_requirements AS r
LEFT JOIN public.comfy_server_abilities AS a ON a.server_id = s.id AND a.requires = r.digest
WHERE s.enabled AND s.catalog IS NOT NULL AND a.catalog IS DISTINCT FROM s.catalog
LIMIT 10000
