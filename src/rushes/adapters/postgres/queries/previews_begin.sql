-- Take the look for missing previews, if one is due; up to which event the last one came.
INSERT INTO rushes.chores AS c (name, begun_at) VALUES ('previews', now())
ON CONFLICT (name) DO UPDATE SET begun_at = now()
WHERE c.begun_at <= now() - make_interval(secs => %(every)s)
RETURNING coalesce((c.found ->> 'through')::bigint, 0) AS through
