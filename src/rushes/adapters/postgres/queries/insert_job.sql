INSERT INTO public.workflow_jobs (
    id, job_id, user_id, workflow_type, workflow_name, workflow_version, inputs, prompt_text,
    priority, visibility, title, tags, deadline_at, max_attempts, metadata, parent_id, user_ip, idempotency_key, requires, waiting_reason)
VALUES (
    %(id)s, %(id)s::text, %(user_id)s, %(workflow_type)s, %(workflow_name)s, %(workflow_version)s,
    %(inputs)s, %(prompt_text)s, %(priority)s, %(visibility)s, %(title)s, %(tags)s, %(deadline_at)s,
    %(max_attempts)s, %(metadata)s, %(parent_id)s, %(user_ip)s, %(idempotency_key)s, %(requires)s, %(waiting_reason)s)
