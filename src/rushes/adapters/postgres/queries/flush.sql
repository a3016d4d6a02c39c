-- Something to commit: its record is flushed, and all that was written before it. It has to write something to the
-- log: the commit of a transaction that has nothing but a number is not waited for.
SELECT pg_logical_emit_message(true, 'rushes', '')
