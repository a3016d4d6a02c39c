SELECT rushes_legacy.take_in(ARRAY(
    SELECT ROW(r.legacy_table, r.legacy_id, r.content)::rushes_legacy.source_row FROM ({rows}) AS r), %(fresh)s)
