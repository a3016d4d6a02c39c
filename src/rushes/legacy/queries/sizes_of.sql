SELECT t.{key}::text, {size} FROM {relation} AS t WHERE {range}
