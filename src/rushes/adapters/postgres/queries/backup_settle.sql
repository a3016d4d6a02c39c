-- The event log has numbers of the old server's transactions: here it is all in the past, and pages load anew.
DO $$
BEGIN
    UPDATE public.workflow_job_events SET xid = '3' WHERE xid <> '3';
    DELETE FROM rushes.removed_jobs;
    UPDATE rushes.pruned_events SET xid = pg_current_xact_id(), pruned_by = pg_current_xact_id();
    DELETE FROM public.dispatchers;
END
$$
