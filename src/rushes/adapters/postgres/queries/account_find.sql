SELECT id, email, coalesce(is_anonymous, false) AS is_anonymous,
       coalesce(raw_app_meta_data ->> 'role' = 'admin', false) AS is_admin
FROM auth.users WHERE id = %(id)s
