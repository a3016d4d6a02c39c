SELECT unnest(ARRAY[rushes_legacy.bridge_text(c), rushes_legacy.unified_text(c)])
FROM (SELECT %(contents)s::text::jsonb AS c) AS said
