-- Whether a dispatcher lives, and how the servers are.
SELECT
    (SELECT count(*) FROM public.dispatchers WHERE seen_at > now() - interval '30 seconds') AS dispatchers,
    (SELECT count(*) FROM public.comfy_servers WHERE enabled) AS servers,
    (SELECT count(*) FROM public.comfy_servers WHERE enabled AND state = 'up') AS servers_up,
    (SELECT count(*) FROM (
        SELECT FROM public.workflow_jobs WHERE status = 'pending' LIMIT 1001) AS p) AS waiting,
    (SELECT s.last_error FROM public.comfy_servers AS s
     WHERE s.enabled AND s.state <> 'up' AND s.last_error IS NOT NULL
     ORDER BY s.last_error_at DESC NULLS LAST LIMIT 1) AS last_error
