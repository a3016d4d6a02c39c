SELECT rushes_legacy.view_text(n.name, to_regclass('public.' || n.name))
FROM unnest(rushes_legacy.standing('r')) AS n (name)
