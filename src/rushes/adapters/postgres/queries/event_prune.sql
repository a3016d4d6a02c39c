-- Drop a batch of old events of jobs that have ended, and keep the mark up to where cursors are of no use.
WITH oldest AS MATERIALIZED (
    SELECT e.id, e.job_id, e.at FROM public.workflow_job_events AS e ORDER BY e.id LIMIT %(batch)s
), gone AS (
    DELETE FROM public.workflow_job_events AS e
    USING oldest JOIN public.workflow_jobs AS j ON j.id = oldest.job_id
    WHERE e.id = oldest.id AND oldest.at < %(before)s AND j.status IN ('completed', 'failed', 'cancelled')
    RETURNING e.xid
), mark AS (
    UPDATE rushes.pruned_events AS p
    SET xid = greatest(p.xid, (SELECT g.xid FROM gone AS g ORDER BY g.xid DESC LIMIT 1)), pruned_by = pg_current_xact_id()
    WHERE EXISTS (SELECT FROM gone)
)
SELECT count(*) AS pruned FROM gone
