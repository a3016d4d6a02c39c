-- Take a chore that is due; one process gets it.
INSERT INTO rushes.chores AS c (name, begun_at) VALUES (%(name)s, now())
ON CONFLICT (name) DO UPDATE SET begun_at = now()
WHERE c.begun_at <= now() - make_interval(secs => %(every)s)
RETURNING begun_at
