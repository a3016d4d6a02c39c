-- Jobs that changed after a cursor, each once, at its newest event. A serial number isn't commit order, and nor
-- is a transaction's, so reading stops at the oldest transaction that is still open: nothing can come in before.
-- The first two columns judge the cursor, on a row of their own where nothing has changed: events after it were
-- pruned; or its number is in the future, so it is another database's. (A mark in the future came with a dump.)
-- Of a job that is gone only a word is left, with a number of the log's.
WITH cursor AS MATERIALIZED (
    SELECT %(xid)s::xid8 > pg_snapshot_xmax(pg_current_snapshot()) AS is_foreign,
           p.xid > '0'::xid8 AND p.xid <= pg_snapshot_xmax(pg_current_snapshot()) AND %(xid)s::xid8 <= p.xid AS is_pruned
    FROM rushes.pruned_events AS p
), log AS MATERIALIZED (
    SELECT * FROM (
        (
            SELECT e.xid, e.id, e.job_id, NULL::uuid AS user_id, e.data ->> 'was_visibility' AS was
            FROM public.workflow_job_events AS e
            WHERE (e.xid, e.id) > (%(xid)s::xid8, %(id)s::bigint)
              AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
              AND e.kind <> 'output'
            ORDER BY e.xid, e.id
            LIMIT %(limit)s
        ) UNION ALL (
            SELECT r.xid, r.id, r.job_id, r.user_id, r.visibility AS was
            FROM rushes.removed_jobs AS r
            WHERE (r.xid, r.id) > (%(xid)s::xid8, %(id)s::bigint)
              AND r.xid < pg_snapshot_xmin(pg_current_snapshot())
            ORDER BY r.xid, r.id
            LIMIT %(limit)s
        )
    ) AS both_logs
    ORDER BY xid, id
    LIMIT %(limit)s
), changed AS MATERIALIZED (
    SELECT job_id,
           (array_agg(xid ORDER BY xid DESC, id DESC))[1] AS xid,
           (array_agg(id ORDER BY xid DESC, id DESC))[1] AS id,
           (array_agg(user_id ORDER BY user_id NULLS LAST))[1] AS user_id,
           -- whoever could see it at any time in between must hear that it is gone
           CASE WHEN bool_or(was = 'public') THEN 'public'
                WHEN bool_or(was = 'team') THEN 'team' ELSE max(was) END AS was_visibility
    FROM log
    GROUP BY job_id
)
SELECT cursor.is_foreign, cursor.is_pruned,
       changed.xid::text || '-' || changed.id AS cursor, changed.job_id,
       coalesce(card.user_id, changed.user_id) AS user_id, coalesce(card.visibility, changed.was_visibility) AS visibility,
       card.id IS NULL OR card.deleted_at IS NOT NULL AS deleted, changed.was_visibility,
       CASE WHEN card.id IS NOT NULL THEN row_to_json(card)::text END AS card
FROM cursor
LEFT JOIN (changed LEFT JOIN rushes.job_cards AS card ON card.id = changed.job_id) ON true
ORDER BY changed.xid, changed.id
