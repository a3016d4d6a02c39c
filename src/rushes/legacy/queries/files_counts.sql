SELECT f.state, f.reason, count(*), coalesce(sum((f.file ->> 'size_bytes')::numeric), 0)::bigint
FROM rushes_legacy.files AS f GROUP BY 1, 2 ORDER BY 3 DESC
