SELECT r.legacy_id, r.content, md5(r.content::text) FROM ({rows}) AS r
