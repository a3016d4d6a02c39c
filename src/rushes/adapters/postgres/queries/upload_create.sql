INSERT INTO public.uploads (id, user_id, filename, key, declared_type, size_bytes, in_parts)
VALUES (%(id)s, %(user_id)s, %(filename)s, %(key)s, %(declared_type)s, %(size_bytes)s, %(in_parts)s)
