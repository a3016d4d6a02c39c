-- A page: a function that may use every index chooses the ids (one more than asked for, to know whether more
-- follow), and the rows are read under row level security. Old rows without a job are beside them while
-- `rushes legacy bridge` stands.
WITH old AS MATERIALIZED (
    SELECT id FROM rushes.bridge_rows(%(filter)s::rushes.job_filter, %(everyone)s, %(most)s + 1)
), found AS MATERIALIZED (
    SELECT id FROM rushes.feed_rows(%(filter)s::rushes.job_filter, %(everyone)s, %(most)s + 1)
    UNION ALL
    SELECT id FROM old
), page AS MATERIALIZED (
    SELECT id FROM found ORDER BY id DESC LIMIT %(most)s
)
SELECT
    coalesce(CASE WHEN EXISTS (SELECT FROM old) THEN (
        SELECT json_agg(merged.card ORDER BY merged.id DESC) FROM (
            SELECT card.id, to_json(card) AS card FROM page JOIN rushes.job_cards AS card ON card.id = page.id
            UNION ALL
            SELECT id, card FROM rushes.bridge_cards(ARRAY(SELECT id FROM page))) AS merged)
    ELSE (SELECT json_agg(card ORDER BY card.id DESC) FROM page JOIN rushes.job_cards AS card ON card.id = page.id)
    END, '[]')::text AS body,
    (SELECT id FROM page ORDER BY id LIMIT 1) AS last_id,
    (SELECT count(*) FROM found) > %(most)s AS has_more
