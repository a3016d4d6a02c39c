SELECT coalesce(json_agg(p ORDER BY p.workflow_type), '[]')::text AS body FROM public.queue_pauses AS p
