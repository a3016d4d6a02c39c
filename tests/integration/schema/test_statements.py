"""Cutting a file into statements."""

import pytest

from rushes.adapters.postgres.migrations import migrations
from rushes.adapters.postgres.statements import split_statements


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("", []),
        (" ; ;\n;", []),
        ("-- only a remark", []),
        ("/* only; a remark */ ;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;\nSELECT 2;\n", ["SELECT 1", "SELECT 2"]),
        ("SELECT 'a;b'; SELECT 'it''s; so'", ["SELECT 'a;b'", "SELECT 'it''s; so'"]),
        ("SELECT E'a\\';b'; SELECT 2", ["SELECT E'a\\';b'", "SELECT 2"]),
        ("SELECT 'back\\'; SELECT 2", ["SELECT 'back\\'", "SELECT 2"]),
        ('SELECT "a;""b"; SELECT 2', ['SELECT "a;""b"', "SELECT 2"]),
        ("DO $$ BEGIN; END; $$; SELECT 2", ["DO $$ BEGIN; END; $$", "SELECT 2"]),
        ("DO $a$ x; $$ y; $$ z; $a$; SELECT 2", ["DO $a$ x; $$ y; $$ z; $a$", "SELECT 2"]),
        ("SELECT a$b$c; SELECT $1", ["SELECT a$b$c", "SELECT $1"]),
        ("SELECT a -- x; y\n, b; SELECT 2", ["SELECT a -- x; y\n, b", "SELECT 2"]),
        ("SELECT /* a; /* b; */ c; */ 1; SELECT 2", ["SELECT /* a; /* b; */ c; */ 1", "SELECT 2"]),
        ("-- why\nSELECT 1; -- after", ["-- why\nSELECT 1"]),
        ("SELECT '-- no; remark', 1; SELECT 2", ["SELECT '-- no; remark', 1", "SELECT 2"]),
        ("SELECT 'ü$x$;'; SELECT é$é", ["SELECT 'ü$x$;'", "SELECT é$é"]),
        ("SELECT 'never closed; SELECT 2", ["SELECT 'never closed", "SELECT 2"]),
    ],
)
def test_cuts(sql: str, statements: list[str]) -> None:
    assert split_statements(sql) == statements


def test_nothing_of_our_own_files_is_lost() -> None:
    for migration in migrations():
        joined = "".join(migration.statements)
        for character in ("$$", "CREATE", "GRANT", "TRIGGER"):
            assert joined.count(character) == migration.path.read_text("utf-8").count(character)
