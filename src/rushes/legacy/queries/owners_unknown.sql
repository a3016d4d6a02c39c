SELECT asked FROM unnest(%(ids)s::uuid[]) AS asked WHERE NOT EXISTS (SELECT FROM auth.users AS u WHERE u.id = asked)
