SELECT verdict, figure, used, needed, body::text
FROM rushes.submit_job(
    %(job)s, %(most_waiting)s, %(most_a_day)s, %(most_bytes)s, %(day_bound)s, %(booking)s)
