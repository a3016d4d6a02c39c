-- What the installation looks like now, for /metrics. Only jobs that wait or run are counted: partial indexes hold
-- them, so finished rows cost nothing, however many there are.
WITH waiting AS (
    SELECT j.workflow_type, count(*) AS waiting, count(j.waiting_reason) AS held,
           greatest(0, extract(epoch FROM now() - min(j.created_at))) AS oldest_seconds
    FROM public.workflow_jobs AS j
    WHERE j.status = 'pending' AND j.origin = 'rushes'
    GROUP BY j.workflow_type
), running AS (
    SELECT j.workflow_type, count(*) AS running
    FROM public.workflow_jobs AS j
    WHERE j.status = 'processing' AND j.origin = 'rushes'
    GROUP BY j.workflow_type
), line AS (
    SELECT workflow_type, coalesce(w.waiting, 0) AS waiting, coalesce(w.held, 0) AS held,
           coalesce(r.running, 0) AS running, coalesce(w.oldest_seconds, 0) AS oldest_seconds
    FROM waiting AS w FULL JOIN running AS r USING (workflow_type)
), server AS (
    SELECT s.url, s.enabled, s.state = 'up' AS up, s.draining, s.slots,
           coalesce(s.open_until > now(), false) AS breaker_open,
           (SELECT count(*) FROM public.workflow_job_leases AS l
            WHERE l.server_id = s.id AND l.occupies_server) AS jobs,
           -- as the server says it, so nothing is believed of it: a server may lie
           (SELECT sum((d -> 'vram_free')::numeric)
            FROM jsonb_path_query(s.devices, '$[*] ? (@.vram_free >= 0 && @.vram_free < 1000000000000000)') AS d
           ) AS vram_free
    FROM public.comfy_servers AS s
)
SELECT json_build_object(
    'lines', coalesce((SELECT json_agg(l) FROM line AS l), '[]'),
    'servers', coalesce((SELECT json_agg(s ORDER BY s.url) FROM server AS s), '[]'),
    'paused', coalesce((SELECT json_agg(p.workflow_type) FROM public.queue_pauses AS p), '[]'),
    'dispatchers', (SELECT count(*) FROM public.dispatchers WHERE seen_at > now() - interval '30 seconds'),
    'leases_overdue', (SELECT count(*) FROM public.workflow_job_leases WHERE expires_at < now()),
    'outbox_entries', (SELECT count(*) FROM public.storage_outbox),
    'outbox_failing', (SELECT count(last_error) FROM public.storage_outbox),
    'outbox_oldest_seconds', (
        SELECT coalesce(greatest(0, extract(epoch FROM now() - min(created_at))), 0) FROM public.storage_outbox
        WHERE tries > 0 OR available_at <= now())  -- not those that are meant to wait
)::text AS body
