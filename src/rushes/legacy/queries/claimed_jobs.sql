-- Job ids of jobs that don't come from the old tables, after one.
SELECT j.job_id FROM public.workflow_jobs AS j
WHERE j.origin <> 'legacy' AND j.job_id > %(after)s ORDER BY j.job_id LIMIT %(most)s
