SELECT rushes_legacy.give_up_stale()
