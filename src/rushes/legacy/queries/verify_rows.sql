SELECT r.legacy_id, r.content::text FROM ({rows}) AS r
