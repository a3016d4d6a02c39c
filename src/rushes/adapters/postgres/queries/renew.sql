-- Prolong the leases that are still held, and learn which jobs are to be cancelled.
WITH held AS (
    UPDATE public.workflow_job_leases AS l
    SET expires_at = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
    FROM unnest(%(job_ids)s::uuid[], %(tokens)s::bigint[]) AS mine (job_id, lease_token)
    WHERE l.job_id = mine.job_id AND l.lease_token = mine.lease_token
    RETURNING l.job_id
)
SELECT h.job_id, j.cancel_requested_at IS NOT NULL AS cancel_requested
FROM held AS h JOIN public.workflow_jobs AS j ON j.id = h.job_id
