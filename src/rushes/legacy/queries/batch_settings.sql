-- Of a batch's transaction: it waits for no disk, since booking it does, which comes after it in the log.
SELECT set_config('synchronous_commit', 'off', true), set_config('jit', 'off', true), set_config('work_mem', '64MB', true)
