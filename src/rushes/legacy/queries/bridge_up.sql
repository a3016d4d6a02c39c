SELECT rushes_legacy.bridge_up(%(contents)s::text::jsonb)
