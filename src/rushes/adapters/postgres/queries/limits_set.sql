INSERT INTO public.user_limits AS l (user_id, bytes_stored, jobs_per_day, jobs_waiting, jobs_running, upload_bytes)
VALUES (%(user_id)s, %(bytes_stored)s, %(jobs_per_day)s, %(jobs_waiting)s, %(jobs_running)s, %(upload_bytes)s)
ON CONFLICT (user_id) DO UPDATE
SET bytes_stored = CASE WHEN %(set_bytes_stored)s THEN excluded.bytes_stored ELSE l.bytes_stored END,
    jobs_per_day = CASE WHEN %(set_jobs_per_day)s THEN excluded.jobs_per_day ELSE l.jobs_per_day END,
    jobs_waiting = CASE WHEN %(set_jobs_waiting)s THEN excluded.jobs_waiting ELSE l.jobs_waiting END,
    jobs_running = CASE WHEN %(set_jobs_running)s THEN excluded.jobs_running ELSE l.jobs_running END,
    upload_bytes = CASE WHEN %(set_upload_bytes)s THEN excluded.upload_bytes ELSE l.upload_bytes END,
    updated_at = now()
