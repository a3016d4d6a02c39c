SELECT details, at, extract(epoch FROM clock_timestamp() - at)
FROM rushes_legacy.log
WHERE step = %(step)s AND event = %(event)s
ORDER BY id DESC LIMIT 1
