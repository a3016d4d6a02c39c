SELECT u.id::text FROM auth.users AS u WHERE u.id = ANY (%(ids)s::uuid[])
