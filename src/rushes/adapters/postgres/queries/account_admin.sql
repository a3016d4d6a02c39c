-- The local administrator: one account for the whole installation, made when it is first needed, without limits.
WITH unlimited AS (
    INSERT INTO public.user_limits (user_id, jobs_running, jobs_waiting, jobs_per_day, bytes_stored)
    VALUES (%(id)s, 1000000, 1000000, 1000000, 9007199254740991)
)
SELECT rushes.make_account(%(id)s, 'administrator@localhost', false, '{"provider": "local", "role": "admin"}')
