WITH taken AS (
    DELETE FROM rushes_legacy.changes
    WHERE id IN (SELECT c.id FROM rushes_legacy.changes AS c ORDER BY c.id LIMIT %(most)s)
    RETURNING legacy_table, legacy_id
)
SELECT legacy_table, array_agg(DISTINCT legacy_id), count(*) FROM taken GROUP BY legacy_table
