DELETE FROM rushes_legacy.owners
