-- Whether any job could be claimed now, by whichever server.
SELECT EXISTS (
    SELECT FROM public.workflow_jobs AS j
    WHERE j.status = 'pending' AND j.origin = 'rushes' AND j.available_at <= now())
