-- Of this transaction: its commit waits for no disk.
SELECT set_config('synchronous_commit', 'off', true)
