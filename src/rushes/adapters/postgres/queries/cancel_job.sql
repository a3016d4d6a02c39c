-- Run as the person: row level security and the column grant decide; the trigger stamps the time.
WITH asked AS (
    UPDATE public.workflow_jobs
    SET cancel_requested_at = now()
    WHERE id = %(id)s AND status IN ('pending', 'processing') AND cancel_requested_at IS NULL
    RETURNING id, status
)
SELECT status FROM asked
