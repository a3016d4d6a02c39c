-- 200,000 jobs of 2,000 people over 200 days: 99% private, nearly all completed. Person 1 owns 1,000.
-- Run it with session_replication_role = replica (no triggers, no foreign keys), each statement in a transaction
-- of its own: a long one would hold up every reader of an event log on the same server.
INSERT INTO auth.users (id)
SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid FROM generate_series(1, 2000) AS n;

DO $$
BEGIN
FOR part IN 0..19 LOOP
INSERT INTO public.workflow_jobs (
    id, job_id, user_id, workflow_type, workflow_name, status, created_at, comfy_url, inputs, outputs,
    prompt_text, title, visibility, rating, tags, deleted_at, deadline_at, priority, fair_start, requires)
SELECT
    uuid, uuid::text,
    ('00000000-0000-4000-8000-' || lpad(to_hex(CASE WHEN n % 200 = 0 THEN 1 ELSE 2 + n * 7919 % 1999 END), 12, '0'))::uuid,
    CASE WHEN n % 1000 = 501 THEN 'wan-i2v'
         ELSE (ARRAY['img2img', 'image-edit', 'style-transfer', 'lipsync-one', 'character-caption'])[1 + n * 31 % 5] END,
    'workflow.json', status, at, 'http://comfy:8188', '{"prompt": "a prompt"}',
    CASE WHEN status = 'completed' THEN jsonb_build_object('files', jsonb_build_array(jsonb_build_object(
        'name', 'output.png', 'kind', CASE WHEN n % 50 = 0 THEN 'video' ELSE 'image' END,
        'key', 'workflows/img2img/' || uuid || '/output.png', 'content_type', 'image/png')),
        'texts', '[]'::jsonb, 'reused', false) END,
    'a portrait of word' || n % 500 || ' beside colour' || n * 13 % 77 || ' number ' || n
        || CASE WHEN n % 4000 = 0 THEN ' dragonfly' ELSE '' END,
    CASE WHEN n % 300 = 0 THEN 'the title of ' || n END,
    CASE WHEN n % 100 <> 1 THEN 'private' WHEN n % 200 = 1 THEN 'public' ELSE 'team' END,
    CASE WHEN n % 40 = 0 THEN n % 6 END,
    CASE WHEN n % 5000 = 10 THEN ARRAY['keep'] ELSE '{}' END,
    CASE WHEN n % 500 = 0 THEN at END,
    CASE WHEN status = 'pending' AND n % 100 = 0 THEN at + interval '1 day' END,
    5 + n % 2, n % 1000, 'need' || n % 5
FROM (
    SELECT n, timestamptz '2026-01-01Z' + n * interval '86.4 seconds' AS at,
           (lpad(to_hex((1767225600000 + n * 86400::bigint)), 12, '0') || '7000' || '8' || lpad(to_hex(n), 15, '0'))::uuid AS uuid,
           CASE WHEN n % 40 = 3 THEN 'failed' WHEN n % 100 = 7 THEN 'cancelled'
                WHEN n > 195000 AND n % 10 <> 1 THEN 'pending' WHEN n > 194990 THEN 'processing' ELSE 'completed' END AS status
    FROM generate_series(10000 * part + 1, 10000 * part + 10000) AS n
) AS made;
COMMIT;
END LOOP;
END $$;

INSERT INTO public.workflow_job_events (job_id, kind, data)
SELECT id, 'created', '{}' FROM public.workflow_jobs;

INSERT INTO public.workflow_job_events (xid, job_id, kind, data)
SELECT '1', id, 'status', '{"from": "pending"}' FROM public.workflow_jobs LIMIT 100000;

INSERT INTO public.workflow_job_leases (job_id, lease_token, owner, server_id, expires_at)
SELECT id, row_number() OVER (ORDER BY id), 'o', id, created_at + interval '10 years' FROM public.workflow_jobs LIMIT 50000;

-- One server, able to run four of five kinds of jobs; it is the first lease's.
INSERT INTO public.comfy_servers (id, url, name)
SELECT server_id, 'http://comfy:8188', 'comfy' FROM public.workflow_job_leases WHERE lease_token = 1;

INSERT INTO public.workflow_requirements (digest, workflow_type, node_classes)
SELECT 'need' || n, 'img2img', '{}' FROM generate_series(0, 4) AS n;

INSERT INTO public.comfy_server_abilities (server_id, requires, able, catalog)
SELECT s.id, r.digest, r.digest <> 'need4', 'c' FROM public.comfy_servers AS s, public.workflow_requirements AS r;

INSERT INTO public.uploads (id, user_id, filename, key, size_bytes, expires_at)
SELECT id, user_id, 'a.png', 'uploads/' || id, 10, created_at + interval '10 years' FROM public.workflow_jobs LIMIT 50000;

INSERT INTO public.api_keys (user_id, name, prefix, sha256)
SELECT id, 'k', 'rsh', id::text || n FROM auth.users CROSS JOIN generate_series(1, 10) AS n;

INSERT INTO public.caption_datasets (job_id, user_id, name)
SELECT id, user_id, 'set' FROM public.workflow_jobs LIMIT 20000;

INSERT INTO public.storage_outbox (action, target, available_at)
SELECT 'delete_keys', '["a"]', created_at + interval '10 years' FROM public.workflow_jobs LIMIT 50000;
