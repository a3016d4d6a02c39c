-- Prompt ids that several rows of style_transfers have.
SELECT t.comfyui_prompt_id FROM {relation} AS t WHERE t.comfyui_prompt_id <> ''
GROUP BY 1 HAVING count(*) > 1
