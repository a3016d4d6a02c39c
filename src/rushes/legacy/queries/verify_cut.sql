SELECT t.{key}::text FROM {relation} AS t ORDER BY t.{key} OFFSET %(place)s LIMIT 1
