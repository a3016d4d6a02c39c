-- In a database that has only the old tables; where Rushes is at home, its schema has made it.
DO $$
BEGIN
    IF to_regclass('rushes_legacy.changes') IS NULL THEN
        CREATE SCHEMA IF NOT EXISTS rushes_legacy;
        REVOKE ALL ON SCHEMA rushes_legacy FROM PUBLIC;
        CREATE TABLE rushes_legacy.changes (
            id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            legacy_table    text NOT NULL,
            legacy_id       text NOT NULL,
            at              timestamptz NOT NULL DEFAULT clock_timestamp()
        );
    END IF;
END
$$
