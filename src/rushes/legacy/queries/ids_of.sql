SELECT t.{key}::text FROM {relation} AS t WHERE {range}
