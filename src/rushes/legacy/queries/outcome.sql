-- What the jobs of a takeover are now: by table, type and status, and their anomalies. All from one look at the rows.
WITH sorts AS MATERIALIZED (
    SELECT j.legacy_table, j.workflow_type, j.status, j.metadata -> 'legacy' -> 'anomalies' AS anomalies, count(*) AS n
    FROM public.workflow_jobs AS j WHERE j.origin = 'legacy' GROUP BY 1, 2, 3, 4
)
SELECT jsonb_build_object(
    'jobs', (SELECT coalesce(sum(n), 0)::bigint FROM sorts),
    'by', (SELECT coalesce(jsonb_agg(jsonb_build_object('table', b.legacy_table, 'type', b.workflow_type, 'status', b.status, 'count', b.n)
                  ORDER BY b.legacy_table, b.workflow_type, b.status), '[]')
           FROM (SELECT legacy_table, workflow_type, status, sum(n)::bigint AS n FROM sorts GROUP BY 1, 2, 3) AS b),
    'anomalies', (SELECT coalesce(jsonb_object_agg(a.name, a.n), '{}')
                  FROM (SELECT w.name, sum(s.n)::bigint AS n FROM sorts AS s
                        CROSS JOIN LATERAL jsonb_array_elements_text(s.anomalies) AS w (name) GROUP BY 1) AS a))
