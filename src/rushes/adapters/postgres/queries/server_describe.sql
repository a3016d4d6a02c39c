-- All that administrators see of the servers.
SELECT coalesce(json_agg(shown ORDER BY shown.created_at, shown.id), '[]')::text AS body
FROM (
    SELECT
        s.id, s.url, s.name, s.source, s.enabled, s.draining, s.slots, s.state, s.last_seen_at, s.checked_at,
        s.version, s.devices, s.warm_workflow, s.jobs_completed, s.jobs_failed, s.last_error, s.last_error_at,
        s.failures, s.open_until, s.created_at,
        coalesce((
            SELECT json_agg(json_build_object(
                'id', j.id, 'workflow_type', j.workflow_type, 'started_at', j.started_at,
                'progress', l.progress) ORDER BY j.started_at)
            FROM public.workflow_job_leases AS l JOIN public.workflow_jobs AS j ON j.id = l.job_id
            WHERE l.server_id = s.id), '[]') AS jobs,
        coalesce((
            SELECT json_agg(DISTINCT r.workflow_type ORDER BY r.workflow_type)
            FROM public.comfy_server_abilities AS a JOIN public.workflow_requirements AS r ON r.digest = a.requires
            WHERE a.server_id = s.id AND a.able), '[]') AS can_run
    FROM public.comfy_servers AS s
) AS shown
