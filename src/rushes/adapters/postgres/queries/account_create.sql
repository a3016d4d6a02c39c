INSERT INTO auth.users (id, is_anonymous, raw_app_meta_data)
VALUES (%(id)s, true, '{"provider": "anonymous"}')
