-- Of a batch's transaction: it waits for no disk. Should the server fail, its booking is lost with it, and it is done again.
-- Planning its statements anew each time took a fifth of a small step.
SELECT set_config('synchronous_commit', 'off', true), set_config('jit', 'off', true), set_config('work_mem', '64MB', true),
       set_config('plan_cache_mode', 'force_generic_plan', true)
