UPDATE public.idempotency SET job_id = %(job_id)s WHERE user_id = %(user_id)s AND key = %(key)s AND job_id IS NULL
