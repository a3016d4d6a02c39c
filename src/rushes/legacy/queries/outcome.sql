-- What the jobs of a takeover are now: by table, type and status, and their anomalies.
SELECT jsonb_build_object(
    'jobs', (SELECT count(*) FROM public.workflow_jobs WHERE origin = 'legacy'),
    'by', (SELECT coalesce(jsonb_agg(jsonb_build_object('table', b.legacy_table, 'type', b.workflow_type, 'status', b.status, 'count', b.n)
                  ORDER BY b.legacy_table, b.workflow_type, b.status), '[]')
           FROM (SELECT legacy_table, workflow_type, status, count(*) AS n FROM public.workflow_jobs
                 WHERE origin = 'legacy' GROUP BY 1, 2, 3) AS b),
    'anomalies', (SELECT coalesce(jsonb_object_agg(a.name, a.n), '{}')
                  FROM (SELECT jsonb_array_elements_text(metadata -> 'legacy' -> 'anomalies') AS name, count(*) AS n
                        FROM public.workflow_jobs WHERE origin = 'legacy' GROUP BY 1) AS a))
