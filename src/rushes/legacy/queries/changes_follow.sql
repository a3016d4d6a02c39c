-- The triggers on one old table, where they are missing. They only append to rushes_legacy.changes, a statement at a
-- time, and whatever goes wrong with that is not the old app's: it gets a warning, and `verify` finds the row.
-- A TRUNCATE names no rows: its line ('sweep', the table) asks for a look at all of them.
DO $follow$
DECLARE
    event text;
BEGIN
    IF to_regprocedure('rushes_legacy.note_{name}()') IS NULL THEN
        CREATE FUNCTION rushes_legacy.note_{name}() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
        AS $note$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO rushes_legacy.changes (legacy_table, legacy_id)
                SELECT '{unit}', c.{key}::text FROM new_rows AS c WHERE c.{key} IS NOT NULL;
            ELSIF TG_OP = 'DELETE' THEN
                INSERT INTO rushes_legacy.changes (legacy_table, legacy_id)
                SELECT '{unit}', c.{key}::text FROM old_rows AS c WHERE c.{key} IS NOT NULL;
            ELSE
                INSERT INTO rushes_legacy.changes (legacy_table, legacy_id)
                SELECT '{unit}', c.{key}::text FROM new_rows AS c WHERE c.{key} IS NOT NULL
                UNION SELECT '{unit}', c.{key}::text FROM old_rows AS c WHERE c.{key} IS NOT NULL;
            END IF;
            RETURN NULL;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'A change of {name} was not noted for the takeover: %', SQLERRM;
            RETURN NULL;
        END
        $note$;
        REVOKE ALL ON FUNCTION rushes_legacy.note_{name}() FROM PUBLIC;
    END IF;
    IF to_regprocedure('rushes_legacy.note_truncate()') IS NULL THEN
        CREATE FUNCTION rushes_legacy.note_truncate() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
        AS $note$
        BEGIN
            INSERT INTO rushes_legacy.changes (legacy_table, legacy_id) VALUES ('sweep', TG_TABLE_NAME);
            RETURN NULL;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'That % was emptied was not noted for the takeover: %', TG_TABLE_NAME, SQLERRM;
            RETURN NULL;
        END
        $note$;
        REVOKE ALL ON FUNCTION rushes_legacy.note_truncate() FROM PUBLIC;
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_trigger AS t
        WHERE t.tgrelid = '{relation}'::regclass AND t.tgname = 'rushes_note_truncate') THEN
        CREATE TRIGGER rushes_note_truncate AFTER TRUNCATE ON {relation}
            FOR EACH STATEMENT EXECUTE FUNCTION rushes_legacy.note_truncate();
    END IF;
    FOREACH event IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_catalog.pg_trigger AS t
            WHERE t.tgrelid = '{relation}'::regclass AND t.tgname = 'rushes_note_' || event);
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON {relation} REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION rushes_legacy.note_{name}()',
            'rushes_note_' || event, event,
            CASE event WHEN 'insert' THEN 'NEW TABLE AS new_rows' WHEN 'delete' THEN 'OLD TABLE AS old_rows'
                       ELSE 'OLD TABLE AS old_rows NEW TABLE AS new_rows' END);
    END LOOP;
    -- one that somebody disabled notes nothing
    FOREACH event IN ARRAY ARRAY['insert', 'update', 'delete', 'truncate'] LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_catalog.pg_trigger AS t
            WHERE t.tgrelid = '{relation}'::regclass AND t.tgname = 'rushes_note_' || event AND t.tgenabled IN ('O', 'A'));
        EXECUTE format('ALTER TABLE {relation} ENABLE TRIGGER %I', 'rushes_note_' || event);
    END LOOP;
END
$follow$
