-- What counts against a person's limits; each count stops just past its limit.
SELECT
    (SELECT count(*) FROM (
        SELECT FROM public.workflow_jobs AS j
        WHERE j.user_id = %(user_id)s AND j.status = 'pending' LIMIT %(waiting_limit)s) AS w) AS waiting,
    (SELECT count(*) FROM (
        SELECT FROM public.workflow_jobs AS j
        WHERE j.user_id = %(user_id)s AND j.id >= %(day_bound)s AND j.created_at > now() - interval '1 day'
        LIMIT %(day_limit)s) AS d) AS today
