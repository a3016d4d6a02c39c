-- Objects that are lost, of jobs that are still there; found_at is when they were missed last.
INSERT INTO rushes.lost_objects (job_id, key)
SELECT k.id, k.key FROM unnest(%(ids)s::uuid[], %(keys)s::text[]) AS k (id, key)
WHERE EXISTS (SELECT FROM public.workflow_jobs AS j WHERE j.id = k.id)
ON CONFLICT (job_id, key) DO UPDATE SET found_at = now()
