-- Add posters and thumbnails to the outputs of a completed job; nothing else about them may differ.
UPDATE public.workflow_jobs AS j
SET outputs = %(outputs)s
WHERE j.id = %(job_id)s AND j.status = 'completed' AND j.job_id = %(prompt_id)s
RETURNING j.id
