UPDATE rushes.chores
SET begun_at = now(), ended_at = now(), found = jsonb_build_object('through', %(through)s::bigint)
WHERE name = 'previews'
