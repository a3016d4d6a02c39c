-- The local administrator: one account for the whole installation, made when it is first needed.
WITH made AS (
    INSERT INTO auth.users (id, email, is_anonymous, raw_app_meta_data)
    SELECT %(id)s, 'administrator@localhost', false, '{"provider": "local", "role": "admin"}'
    WHERE NOT EXISTS (SELECT FROM auth.users WHERE email = 'administrator@localhost')
    ON CONFLICT DO NOTHING
    RETURNING id
), unlimited AS (
    INSERT INTO public.user_limits (user_id, jobs_running, jobs_waiting, jobs_per_day)
    SELECT id, 1000000, 1000000, 1000000 FROM made
)
SELECT id FROM made
UNION ALL
SELECT id FROM auth.users WHERE email = 'administrator@localhost'
LIMIT 1
