-- How many jobs the filter's chips would show, among the newest `window` jobs and never above `cap`.
-- A type is counted under the chosen statuses and a status under the chosen types, so that a chip tells what
-- choosing it brings. `more` says that there are more, or may be. Rating and kind have no index, so they are
-- looked at here, behind the window: a rare one would otherwise read the whole table.
WITH looked_at AS MATERIALIZED (
    SELECT f.id, f.workflow_type, f.status
    FROM rushes.feed_rows(%(filter)s::rushes.job_filter, %(everyone)s, %(window)s) AS f
), bridged AS MATERIALIZED (
    -- old rows without a job, which have to be read to be counted
    SELECT f.id, f.workflow_type, f.status
    FROM rushes.bridge_rows(%(filter)s::rushes.job_filter, %(everyone)s, least(%(window)s, 2000)) AS f
), seen AS MATERIALIZED (
    SELECT l.workflow_type, l.status, count(*) AS jobs,
           (%(types)s::text[] IS NULL OR l.workflow_type = ANY (%(types)s)) AS type_chosen,
           (%(statuses)s::text[] IS NULL OR l.status = ANY (%(statuses)s)) AS status_chosen
    FROM looked_at AS l
    WHERE (%(rating_min)s::smallint IS NULL AND %(outputs)s::jsonb[] IS NULL)
       OR EXISTS (
            SELECT FROM public.workflow_jobs AS j
            WHERE j.id = l.id
              AND (%(rating_min)s::smallint IS NULL OR j.rating >= %(rating_min)s)
              AND (%(outputs)s::jsonb[] IS NULL OR j.outputs @> ANY (%(outputs)s)))
    GROUP BY l.workflow_type, l.status
    UNION ALL
    SELECT b.workflow_type, b.status, count(*),
           (%(types)s::text[] IS NULL OR b.workflow_type = ANY (%(types)s)),
           (%(statuses)s::text[] IS NULL OR b.status = ANY (%(statuses)s))
    FROM bridged AS b
    WHERE %(rating_min)s::smallint IS NULL AND %(outputs)s::jsonb[] IS NULL
    GROUP BY b.workflow_type, b.status
), chips AS (
    SELECT 'total' AS facet, '' AS value, coalesce(sum(jobs), 0) AS jobs FROM seen
    WHERE type_chosen AND status_chosen
    UNION ALL
    SELECT 'workflow_type', workflow_type, sum(jobs) FROM seen WHERE status_chosen GROUP BY workflow_type
    UNION ALL
    SELECT 'status', status, sum(jobs) FROM seen WHERE type_chosen GROUP BY status
), capped AS (
    SELECT facet, value, json_build_object(
        'count', least(jobs, %(cap)s::int),
        'more', jobs > %(cap)s OR (SELECT count(*) FROM looked_at) >= %(window)s
            OR (SELECT count(*) FROM bridged) >= least(%(window)s, 2000)) AS chip
    FROM chips
)
SELECT json_build_object(
    'total', (SELECT chip FROM capped WHERE facet = 'total'),
    'workflow_type', (SELECT coalesce(json_object_agg(value, chip ORDER BY value), '{}')
                      FROM capped WHERE facet = 'workflow_type'),
    'status', (SELECT coalesce(json_object_agg(value, chip ORDER BY value), '{}')
               FROM capped WHERE facet = 'status'))::text AS body
