-- One job for somebody who isn't signed in, and so may not even ask for what is hidden.
SELECT (to_jsonb(card) || jsonb_build_object(
        'comfyui_output_filename', j.comfyui_output_filename,
        'comfyui_output_subfolder', j.comfyui_output_subfolder,
        'comfyui_output_type', j.comfyui_output_type))::text AS body
FROM rushes.job_cards AS card
JOIN public.workflow_jobs AS j ON j.id = card.id
WHERE card.id = %(id)s
UNION ALL
SELECT old.body::text FROM rushes.bridge_one(%(id)s) AS old (body) WHERE old.body IS NOT NULL
