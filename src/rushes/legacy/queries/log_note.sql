INSERT INTO rushes_legacy.log (step, event, details) VALUES (%(step)s, %(event)s, %(details)s::text::jsonb)
