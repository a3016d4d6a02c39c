-- Which of these ids an old table has.
SELECT DISTINCT t.{column}::text FROM {relation} AS t WHERE t.{column}::text = ANY (%(ids)s) LIMIT %(most)s
