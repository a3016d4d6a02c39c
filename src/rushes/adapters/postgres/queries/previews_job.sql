SELECT j.id, j.workflow_type, j.job_id, j.attempt, j.outputs
FROM public.workflow_jobs AS j
WHERE j.id = %(id)s AND j.status = 'completed' AND jsonb_typeof(j.outputs -> 'files') = 'array'
