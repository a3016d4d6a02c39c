SELECT CASE WHEN isfinite(stale_before) THEN (extract(epoch FROM stale_before) * 1000000)::bigint END, visibility
FROM rushes_legacy.choices
