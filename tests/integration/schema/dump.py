"""A database's schema as comparable lines, from the catalog: any server version, and no pg_dump needed."""

import psycopg

_PARTS = {
    "columns": """
        SELECT c.oid::regclass || '.' || attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
               pg_get_expr(adbin, adrelid), attacl::text
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = attrelid LEFT JOIN pg_attrdef AS d ON d.adrelid = attrelid AND adnum = attnum
        WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (%(ours)s)) AND relkind IN ('r', 'v', 'c') AND attnum > 0 AND NOT attisdropped""",
    "relations": """
        SELECT oid::regclass::text, relkind, relrowsecurity, relforcerowsecurity, relacl::text, reloptions,
               pg_get_viewdef(oid)
        FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (%(ours)s)) AND relkind IN ('r', 'v', 'S', 'c')""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = ANY (%(ours)s)",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (%(ours)s))""",
    "functions": """
        SELECT oid::regprocedure::text, pg_get_functiondef(oid), proacl::text
        FROM pg_proc WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (%(ours)s))""",
    "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "policies": "SELECT * FROM pg_policies",
    "schemas": "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname = ANY (%(ours)s)",
    "books": "SELECT version, name, statements FROM supabase_migrations.schema_migrations",
}


def dump(url: str) -> dict[str, list[str]]:
    """Everything that a migration can make, part by part, sorted."""
    with psycopg.connect(url) as connection:
        return {
            part: sorted(
                str(row) for row in connection.execute(query, {"ours": ["public", "rushes", "auth"]})
            )
            for part, query in _PARTS.items()
        }
