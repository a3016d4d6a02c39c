-- Delete a folder in an hour: by then the job that it is made for is there and has taken this back, or never comes.
INSERT INTO public.storage_outbox (action, target, available_at)
VALUES ('delete_prefix', to_jsonb(%(prefix)s::text), now() + interval '1 hour')
RETURNING id
