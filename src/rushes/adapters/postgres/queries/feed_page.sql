-- A page: a function that may use every index chooses the ids, and the rows are read under row level security.
SELECT coalesce(json_agg(card ORDER BY card.id DESC), '[]')::text AS body
FROM rushes.feed_rows(%(filter)s::rushes.job_filter, %(everyone)s, %(most)s) AS page
JOIN rushes.job_cards AS card ON card.id = page.id
