SELECT last_key, seen, filled, later
FROM rushes_legacy.fill_types(%(table)s, %(after)s, %(batch)s, %(young)s::text::interval)
