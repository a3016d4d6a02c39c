-- Which of these objects are an upload's: its bytes, or what has come so far of it.
SELECT k.key FROM unnest(%(keys)s::text[], %(uploads)s::uuid[]) AS k (key, upload)
WHERE EXISTS (SELECT FROM public.uploads AS u WHERE coalesce(u.object_key, u.key) = k.key)
   OR EXISTS (SELECT FROM public.uploads AS u WHERE u.id = k.upload)
