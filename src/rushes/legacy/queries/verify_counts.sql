SELECT j.legacy_table, count(*) FROM public.workflow_jobs AS j
WHERE j.origin = 'legacy' OR j.legacy_table IS NOT NULL GROUP BY 1
