UPDATE rushes_legacy.choices SET stale_before = now() - stale_after
