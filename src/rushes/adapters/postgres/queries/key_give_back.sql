DELETE FROM public.idempotency WHERE user_id = %(user_id)s AND key = %(key)s AND job_id IS NULL
