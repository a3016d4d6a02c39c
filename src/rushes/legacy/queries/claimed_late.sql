-- Whether old rows have been taken in already.
SELECT EXISTS (SELECT FROM rushes_legacy.progress WHERE step = 'migrate')
