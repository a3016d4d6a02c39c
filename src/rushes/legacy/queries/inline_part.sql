SELECT substr(t.{column}::text, %(start)s, %(size)s) FROM {relation} AS t WHERE t.{key} = %(row)s::{key_type}
