-- The exact graph sent last; its policy lets the owner and administrators see it.
SELECT json_build_object('graph', p.graph, 'prompt_id', p.prompt_id, 'attempt', p.attempt)::text AS body
FROM public.workflow_prompts AS p
WHERE p.job_id = %(id)s
