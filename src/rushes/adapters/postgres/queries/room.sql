SELECT verdict, figure, used, needed
FROM rushes.room(%(user_id)s, %(most_waiting)s, %(most_a_day)s, %(most_bytes)s, %(day_bound)s, 1)
