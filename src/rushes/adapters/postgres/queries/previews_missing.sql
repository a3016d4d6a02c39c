-- Of the jobs that completed in the next stretch of the event log, those with a picture that has no thumbnail. The log
-- is read by its key up to the first event that is not old enough, so that there is little to do where nothing is new.
WITH next AS MATERIALIZED (
    SELECT e.id, e.job_id, e.at, e.kind = 'status' AND e.data ->> 'to' = 'completed' AS is_end
    FROM public.workflow_job_events AS e
    WHERE e.id > %(after)s
    ORDER BY e.id LIMIT %(limit)s
), old AS MATERIALIZED (
    SELECT n.id, n.job_id, n.is_end FROM next AS n
    WHERE n.id < coalesce((
        SELECT min(young.id) FROM next AS young WHERE young.at > now() - make_interval(secs => %(late)s)),
        9223372036854775807)
), state AS (
    SELECT coalesce(max(old.id), %(after)s) AS through, count(*) = %(limit)s AS more FROM old
), bare AS (
    SELECT j.id, j.workflow_type, j.job_id, j.attempt, j.outputs
    FROM public.workflow_jobs AS j
    WHERE j.id IN (SELECT old.job_id FROM old WHERE old.is_end)
      AND j.status = 'completed' AND j.origin = 'rushes'
      AND j.outputs @? '$.files[*] ? ((@.kind == "image" || @.kind == "video") && @.thumb_key == null && !exists(@.problem))'
)
SELECT state.through, state.more, bare.id, bare.workflow_type, bare.job_id, bare.attempt, bare.outputs
FROM state LEFT JOIN bare ON true
