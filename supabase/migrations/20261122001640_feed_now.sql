-- The live feed shows what is committed at once, also while somebody else's transaction stays open for hours: a cursor
-- is a snapshot, and no longer a number below the oldest open transaction. A page's first cursor can therefore be
-- "older" than what was pruned, and is good all the same: it was taken after the pruning.
ALTER TABLE rushes.pruned_events ADD COLUMN pruned_by xid8 NOT NULL DEFAULT pg_current_xact_id();
COMMENT ON COLUMN rushes.pruned_events.pruned_by IS
    'The transaction that pruned last: a cursor that has seen it lacks nothing.';
COMMENT ON COLUMN public.workflow_job_events.xid IS
    'The transaction. Neither it nor the serial number is the order of commits: readers ask for those that they have not seen.';
