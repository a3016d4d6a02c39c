-- Whether a change was noted a moment ago, and is still to be followed.
SELECT coalesce((SELECT c.at > clock_timestamp() - interval '5 s' FROM rushes_legacy.changes AS c ORDER BY c.id DESC LIMIT 1), false)
