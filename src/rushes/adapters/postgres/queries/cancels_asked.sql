-- Which of the jobs in hand are to be cancelled; the hint that says so may have been lost.
SELECT j.id FROM public.workflow_jobs AS j
WHERE j.id = ANY (%(job_ids)s::uuid[]) AND j.status = 'processing' AND j.cancel_requested_at IS NOT NULL
