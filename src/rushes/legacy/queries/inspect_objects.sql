SELECT o.bucket_id, o.name FROM storage.objects AS o
JOIN unnest(%(buckets)s::text[], %(paths)s::text[]) AS asked (bucket, path) ON o.bucket_id = asked.bucket AND o.name = asked.path
