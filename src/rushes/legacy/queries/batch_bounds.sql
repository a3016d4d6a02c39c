-- Where the next batch ends, by rows and by bytes; it has one row at least. After the last row: no row.
SELECT (array_agg(s.key::text ORDER BY s.place DESC))[1], count(*)
FROM (
    SELECT k.key, row_number() OVER w AS place, sum(k.size) OVER w - k.size AS before
    FROM (SELECT t.{key} AS key, {size} AS size FROM {relation} AS t WHERE {range} ORDER BY t.{key} LIMIT %(most)s) AS k
    WINDOW w AS (ORDER BY k.key)
) AS s
WHERE s.before < %(bytes)s
HAVING count(*) > 0
