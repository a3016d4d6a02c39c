-- Of a session: what looks at a whole table leaves the other processors to the old app.
SELECT set_config('max_parallel_workers_per_gather', '0', false)
