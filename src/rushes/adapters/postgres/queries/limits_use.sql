SELECT coalesce((SELECT b.bytes FROM rushes.user_bytes AS b WHERE b.user_id = %(user_id)s), 0),
       coalesce((SELECT r.running FROM rushes.user_running AS r WHERE r.user_id = %(user_id)s), 0)
