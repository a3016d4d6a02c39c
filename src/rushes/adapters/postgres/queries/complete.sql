-- Finish a job, if its lease is still ours; objects of earlier attempts go to the outbox.
WITH held AS (
    DELETE FROM public.workflow_job_leases
    WHERE job_id = %(job_id)s AND lease_token = %(lease_token)s
    RETURNING job_id, server_id
), done AS (
    UPDATE public.workflow_jobs AS j
    SET status = 'completed',
        outputs = %(outputs)s,
        result_urls = %(result_urls)s,
        comfyui_output_filename = %(filename)s,
        comfyui_output_subfolder = %(subfolder)s,
        comfyui_output_type = %(type)s,
        error_code = NULL, error_message = NULL, error_details = NULL
    FROM held
    WHERE j.id = (SELECT h.job_id FROM held AS h) AND j.status = 'processing'  -- by its id, never by way of all that run
    RETURNING j.id, j.attempt, j.workflow_type, held.server_id
), ended AS (
    UPDATE public.workflow_job_attempts AS a
    SET ended_at = clock_timestamp(), outcome = 'completed'
    FROM done WHERE a.job_id = done.id AND a.number = done.attempt
), counted AS (
    UPDATE public.comfy_servers AS s
    SET jobs_completed = s.jobs_completed + 1, warm_workflow = done.workflow_type, failures = 0, open_until = NULL
    FROM done WHERE s.id = done.server_id
), leftovers AS (
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_keys', jsonb_agg(DISTINCT e.data -> 'key')
    FROM public.workflow_job_events AS e JOIN done ON done.id = e.job_id
    WHERE e.kind = 'output' AND NOT (e.data ->> 'key' = ANY (%(keys)s::text[]))
    HAVING count(*) > 0
)
SELECT id FROM done
