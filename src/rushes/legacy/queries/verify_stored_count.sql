SELECT count(*) FROM rushes_legacy.files WHERE state = 'stored'
