UPDATE rushes_legacy.choices SET
    stale_after = make_interval(secs => %(stale_seconds)s::float8),
    stale_before = now() - make_interval(secs => %(stale_seconds)s::float8),
    visibility = coalesce(%(visibility)s, visibility)
