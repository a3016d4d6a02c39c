-- What is JSON comes as one text: one reading instead of four. The source row comes as a digest of its text.
SELECT j.legacy_id, j.id::text, j.job_id, j.user_id::text, j.origin, j.workflow_type, j.workflow_name, j.comfy_url,
       j.user_ip, j.model_used, j.processing_time_seconds, j.status, j.error_code, j.error_message,
       j.comfyui_output_filename, j.comfyui_output_subfolder, j.comfyui_output_type, j.prompt_text, j.visibility,
       j.created_at, j.completed_at, j.updated_at, md5(j.legacy_row::text),
       '[' || concat_ws(',', coalesce(j.outputs::text, 'null'), j.result_urls::text, j.inputs::text,
                        coalesce((j.metadata -> 'legacy')::text, 'null')) || ']'
FROM public.workflow_jobs AS j
WHERE j.legacy_table = %(name)s AND j.legacy_id = ANY (%(ids)s::text[])
