-- The views that stand, those of them whose table is gone from the archive, and how much waits to be carried back.
SELECT v.views,
       ARRAY(SELECT n.name FROM unnest(v.views) AS n (name) WHERE to_regclass('legacy_archive.' || n.name) IS NULL),
       (SELECT count(*) FROM rushes_legacy.written)
FROM (SELECT rushes_legacy.standing('v') AS views) AS v
