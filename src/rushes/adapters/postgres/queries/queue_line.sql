-- The queue as one person sees it. Counting stops at 1,000; how long a job takes is known from the last 50 of its
-- type. The range: what is ahead of the first own waiting job, spread over the servers that take jobs.
WITH waiting AS MATERIALIZED (
    SELECT j.id, j.user_id, j.workflow_type, row_number() OVER (ORDER BY j.priority DESC, j.fair_start, j.id) AS place
    FROM (
        SELECT p.id, p.user_id, p.workflow_type, p.priority, p.fair_start
        FROM public.workflow_jobs AS p
        WHERE p.status = 'pending' AND p.origin = 'rushes'
        ORDER BY p.priority DESC, p.fair_start, p.id
        LIMIT 1001
    ) AS j
), running AS MATERIALIZED (
    SELECT j.id, j.user_id, j.workflow_type, extract(epoch FROM now() - j.started_at) AS seconds
    FROM public.workflow_job_leases AS l
    JOIN public.workflow_jobs AS j ON j.id = l.job_id AND j.status = 'processing'
), types AS (
    SELECT workflow_type FROM waiting UNION SELECT workflow_type FROM running
), times AS MATERIALIZED (
    SELECT t.workflow_type,
           percentile_cont(0.25) WITHIN GROUP (ORDER BY lately.seconds) AS low,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY lately.seconds) AS high
    FROM types AS t
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM j.completed_at - j.started_at) AS seconds
        FROM public.workflow_jobs AS j
        WHERE j.workflow_type = t.workflow_type AND j.status = 'completed' AND j.started_at IS NOT NULL
        ORDER BY j.id DESC LIMIT 50
    ) AS lately
    GROUP BY t.workflow_type
), mine AS (
    SELECT min(w.place) AS place, count(*) AS jobs FROM waiting AS w WHERE w.user_id = %(user_id)s
), lanes AS (
    SELECT greatest(1, coalesce(sum(s.slots), 0)) AS slots
    FROM public.comfy_servers AS s
    WHERE s.enabled AND NOT s.draining AND s.state = 'up'
), ahead AS (
    SELECT sum(t.low) AS low, sum(t.high) AS high, bool_and(t.low IS NOT NULL) AS known
    FROM (
        SELECT w.workflow_type FROM waiting AS w, mine WHERE w.place <= mine.place
        UNION ALL SELECT r.workflow_type FROM running AS r
    ) AS line
    LEFT JOIN times AS t USING (workflow_type)
)
SELECT json_build_object(
    'running', (SELECT count(*) FROM running),
    'waiting', (SELECT least(count(*), 1000) FROM waiting),
    'waiting_more', (SELECT count(*) > 1000 FROM waiting),
    'mine', json_build_object(
        'running', (SELECT count(*) FROM running WHERE user_id = %(user_id)s),
        'waiting', mine.jobs,
        'position', mine.place),
    'servers_up', (SELECT count(*) FROM public.comfy_servers WHERE enabled AND state = 'up'),
    'seconds', CASE WHEN mine.place IS NOT NULL AND ahead.known THEN json_build_array(
        ceil(ahead.low / lanes.slots), ceil(ahead.high / lanes.slots)) END,
    'paused', coalesce((
        SELECT json_agg(p.workflow_type ORDER BY p.workflow_type) FROM public.queue_pauses AS p), '[]')
)::text AS body
FROM mine, lanes, ahead
