SELECT '{name}'::text AS legacy_table, t.{key}::text AS legacy_id, {content} AS content FROM {relation} AS t WHERE {range}
