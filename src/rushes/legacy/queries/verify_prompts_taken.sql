-- Prompt ids of style_transfers that a row of multitalk_jobs has, too.
SELECT DISTINCT t.comfyui_prompt_id FROM {relation} AS t JOIN {multitalk} AS m ON m.job_id = t.comfyui_prompt_id
