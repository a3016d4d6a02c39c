SELECT CASE WHEN isfinite(c.stale_before) THEN (extract(epoch FROM c.stale_before) * 1000000)::bigint END, c.visibility,
       EXISTS (SELECT FROM rushes_legacy.files AS f WHERE f.state = 'stored'), EXISTS (SELECT FROM rushes_legacy.owners)
FROM rushes_legacy.choices AS c
