DO $$
BEGIN
    DROP TRIGGER IF EXISTS rushes_note_insert ON {relation};
    DROP TRIGGER IF EXISTS rushes_note_update ON {relation};
    DROP TRIGGER IF EXISTS rushes_note_delete ON {relation};
    DROP TRIGGER IF EXISTS rushes_note_truncate ON {relation};
    DROP FUNCTION IF EXISTS rushes_legacy.note_{name}();
END
$$
