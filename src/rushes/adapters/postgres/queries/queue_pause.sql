INSERT INTO public.queue_pauses (workflow_type, reason) VALUES (%(workflow_type)s, %(reason)s)
ON CONFLICT (workflow_type) DO UPDATE SET reason = excluded.reason
