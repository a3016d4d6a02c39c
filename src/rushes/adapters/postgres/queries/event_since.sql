-- Jobs that changed after a cursor, each once, at its newest event. Neither a serial number nor a transaction's is
-- the order of commits, so what is new are the events of transactions that the cursor's reader did not see: those that
-- were open then, and those from `next` on. Whatever is committed is seen at once, whoever else has a transaction open.
-- The first two columns judge the cursor, on a row of their own where nothing has changed: events after it were
-- pruned; or its number is in the future, so it is another database's. (A mark in the future came with a dump.)
-- Of a job that is gone only a word is left, with a number of the log's.
WITH cursor AS MATERIALIZED (
    SELECT %(next)s::xid8 AS next, %(open)s::xid8[] AS open, pg_current_snapshot() AS now
), state AS MATERIALIZED (
    SELECT c.next > pg_snapshot_xmax(c.now) AS is_foreign,
           p.xid > '0'::xid8 AND p.xid <= pg_snapshot_xmax(c.now)
               AND (c.next <= p.xid OR p.xid >= ANY (c.open))
               AND (c.next <= p.pruned_by OR p.pruned_by = ANY (c.open)) AS is_pruned,
           c.now::text AS snapshot
    FROM cursor AS c CROSS JOIN rushes.pruned_events AS p
), log AS MATERIALIZED (
    SELECT * FROM (
        (
            SELECT e.xid, e.id, e.job_id, NULL::uuid AS user_id, e.data ->> 'was_visibility' AS was
            FROM public.workflow_job_events AS e
            WHERE e.xid >= %(next)s::xid8 AND e.xid < pg_snapshot_xmax(pg_current_snapshot())
              AND e.kind <> 'output'
            ORDER BY e.xid, e.id
            LIMIT %(limit)s
        ) UNION ALL (
            SELECT e.xid, e.id, e.job_id, NULL::uuid AS user_id, e.data ->> 'was_visibility' AS was
            FROM unnest(%(open)s::xid8[], %(read)s::bigint[]) AS o (xid, read)
            JOIN public.workflow_job_events AS e ON e.xid = o.xid AND e.id > o.read
            WHERE e.kind <> 'output'
            ORDER BY e.xid, e.id
            LIMIT %(limit)s
        ) UNION ALL (
            SELECT r.xid, r.id, r.job_id, r.user_id, r.visibility AS was
            FROM rushes.removed_jobs AS r
            WHERE r.xid >= %(next)s::xid8 AND r.xid < pg_snapshot_xmax(pg_current_snapshot())
            ORDER BY r.xid, r.id
            LIMIT %(limit)s
        ) UNION ALL (
            SELECT r.xid, r.id, r.job_id, r.user_id, r.visibility AS was
            FROM unnest(%(open)s::xid8[], %(read)s::bigint[]) AS o (xid, read)
            JOIN rushes.removed_jobs AS r ON r.xid = o.xid AND r.id > o.read
            ORDER BY r.xid, r.id
            LIMIT %(limit)s
        )
    ) AS both_logs
    ORDER BY xid, id
    LIMIT %(limit)s
), changed AS MATERIALIZED (
    SELECT job_id,
           array_agg(DISTINCT xid ORDER BY xid DESC) AS xids,
           (array_agg(id ORDER BY xid DESC, id DESC))[1] AS id,
           (array_agg(user_id ORDER BY user_id NULLS LAST))[1] AS user_id,
           -- whoever could see it at any time in between must hear that it is gone
           CASE WHEN bool_or(was = 'public') THEN 'public'
                WHEN bool_or(was = 'team') THEN 'team' ELSE max(was) END AS was_visibility
    FROM log
    GROUP BY job_id
)
SELECT state.is_foreign, state.is_pruned, state.snapshot,
       (SELECT count(*) FROM log) = %(limit)s AS more,
       changed.xids::text[] AS xids, changed.id, changed.job_id,
       coalesce(card.user_id, changed.user_id) AS user_id, coalesce(card.visibility, changed.was_visibility) AS visibility,
       card.id IS NULL OR card.deleted_at IS NOT NULL AS deleted, changed.was_visibility,
       CASE WHEN card.id IS NOT NULL THEN row_to_json(card)::text END AS card
FROM state
LEFT JOIN (changed LEFT JOIN rushes.job_cards AS card ON card.id = changed.job_id) ON true
ORDER BY changed.xids[1], changed.id
