-- What is left of jobs that went long ago; cursors from before that are of no use any more.
WITH gone AS (
    DELETE FROM rushes.removed_jobs WHERE (xid, id) IN (
        SELECT r.xid, r.id FROM rushes.removed_jobs AS r
        WHERE r.at < %(before)s ORDER BY r.at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    RETURNING xid
), mark AS (
    UPDATE rushes.pruned_events AS p
    SET xid = greatest(p.xid, (SELECT g.xid FROM gone AS g ORDER BY g.xid DESC LIMIT 1)), pruned_by = pg_current_xact_id()
    WHERE EXISTS (SELECT FROM gone)
)
SELECT xid FROM gone
