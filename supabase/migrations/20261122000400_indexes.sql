-- Every index here is needed by a query of ours; a test explains each of them at 200,000 rows.
-- Ids are UUIDv7, so ordering by id is ordering by time.

-- Claim: the next pending job, by priority and then by the virtual start time.
CREATE INDEX workflow_jobs_claim ON public.workflow_jobs (priority DESC, fair_start, id)
    WHERE status = 'pending' AND origin = 'rushes';

-- Limits: how many jobs of one person wait.
CREATE INDEX workflow_jobs_waiting ON public.workflow_jobs (user_id) WHERE status = 'pending';

-- Waiting jobs that have a deadline.
CREATE INDEX workflow_jobs_deadline ON public.workflow_jobs (deadline_at)
    WHERE status = 'pending' AND deadline_at IS NOT NULL;

-- Mine. Whole, not only what isn't in the trash: deleting an account finds its jobs here, too.
CREATE INDEX workflow_jobs_owner ON public.workflow_jobs (user_id, id DESC)
    INCLUDE (workflow_type, status, deleted_at);

-- The trash, of one person and for pruning.
CREATE INDEX workflow_jobs_trash ON public.workflow_jobs (user_id, id DESC) WHERE deleted_at IS NOT NULL;

-- Everyone: what is shared. Most rows are private, so this one is small.
CREATE INDEX workflow_jobs_shared ON public.workflow_jobs (visibility, id DESC)
    INCLUDE (user_id, workflow_type, status)
    WHERE visibility <> 'private' AND deleted_at IS NULL;

CREATE INDEX workflow_jobs_type ON public.workflow_jobs (workflow_type, id DESC);

-- 'completed' is most of the table, so a page of it is found by the order alone.
CREATE INDEX workflow_jobs_status ON public.workflow_jobs (status, id DESC) WHERE status <> 'completed';

-- What search reads: the title and the prompt. Marks become blanks: the parser would otherwise drop
-- <lora:x:1> as a tag, and keep lip-sync, a/b or example.com as words that can't be found by their parts.
-- A vector has at most 1 MB, so only the first 100,000 characters count.
CREATE FUNCTION rushes.search_vector(title text, prompt_text text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('pg_catalog.simple'::regconfig, translate(
    coalesce(title, '') || ' ' || left(coalesce(prompt_text, ''), 100000),
    '<>-_/.@:&?=%#+~''"`(){}[]|*,;^$!\', repeat(' ', 40)));
REVOKE ALL ON FUNCTION rushes.search_vector(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rushes.search_vector(text, text) TO anon, authenticated, service_role;

CREATE INDEX workflow_jobs_search ON public.workflow_jobs USING gin (rushes.search_vector(title, prompt_text));

CREATE INDEX workflow_jobs_tags ON public.workflow_jobs USING gin (tags) WHERE tags <> '{}';

-- The lease table holds only what runs. Renewing (every 10 s) pays for one entry in each; progress stays HOT.
CREATE INDEX workflow_job_leases_expiry ON public.workflow_job_leases (expires_at);
CREATE INDEX workflow_job_leases_server ON public.workflow_job_leases (server_id);

-- The event log: a job's timeline, the live stream's replay, and pruning.
CREATE INDEX workflow_job_events_timeline ON public.workflow_job_events (job_id, id);
CREATE INDEX workflow_job_events_replay ON public.workflow_job_events (xid, id);

CREATE INDEX uploads_expiry ON public.uploads (expires_at);

-- What goes, or is let go, with an account or a job.
CREATE INDEX uploads_owner ON public.uploads (user_id);
CREATE INDEX api_keys_owner ON public.api_keys (user_id);
CREATE INDEX caption_datasets_owner ON public.caption_datasets (user_id);
CREATE INDEX caption_datasets_job ON public.caption_datasets (job_id);

CREATE INDEX storage_outbox_due ON public.storage_outbox (available_at);
