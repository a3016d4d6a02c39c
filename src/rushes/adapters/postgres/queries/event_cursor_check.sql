-- Whether events after a cursor were pruned, or the cursor is of another database: its number is in the future.
-- A mark from before a restore into another database is in the future, too, and says nothing.
SELECT %(xid)s::xid8 > pg_snapshot_xmax(pg_current_snapshot()) AS foreign_cursor,
       p.xid > '0'::xid8 AND p.xid <= pg_snapshot_xmax(pg_current_snapshot()) AND %(xid)s::xid8 <= p.xid AS pruned
FROM rushes.pruned_events AS p
