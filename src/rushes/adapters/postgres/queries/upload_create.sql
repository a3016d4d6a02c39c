INSERT INTO public.uploads (id, user_id, filename, key, declared_type, size_bytes)
VALUES (%(id)s, %(user_id)s, %(filename)s, %(key)s, %(declared_type)s, %(size_bytes)s)
