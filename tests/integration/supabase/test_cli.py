"""The Supabase CLI itself, where it is installed: it applies our files, and finds nothing to complain about."""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from rushes.adapters.postgres.migrations import migrate, migrations, migrations_directory
from tests.integration.supabase.conftest import Project, execute
from tests.integration.supabase.test_project import FILES, SEEN, furnish, seen

CLI = shutil.which("supabase")
pytestmark = [pytest.mark.anyio, pytest.mark.skipif(CLI is None, reason="the Supabase CLI isn't on PATH")]


class Checkout:
    """A folder with the first files of ours, and the CLI run in it."""

    def __init__(self, folder: Path, project: Project) -> None:
        self._folder = folder / "supabase" / "migrations"
        self._folder.mkdir(parents=True)
        shutil.copy(migrations_directory().parent / "config.toml", self._folder.parent)
        self._project = project
        self._home = folder / "home"
        self._home.mkdir()

    def take(self, count: int) -> None:
        for path in FILES[:count]:
            shutil.copy(path, self._folder)

    def db(self, *command: str) -> str:
        """What `supabase db …` says; it must succeed."""
        done = subprocess.run(
            [str(CLI), "--yes", "--workdir", str(self._folder.parents[1]), "db", *command, "--db-url",
             f"{self._project.url}?sslmode=disable"],
            env=os.environ
            | {"HOME": str(self._home), "SUPABASE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def checked(checkout: Checkout, project: Project) -> None:
    """Advisors and lint."""
    said = checkout.db("advisors", "--type", "all", "--level", "warn", "--fail-on", "warn")
    assert "WARN" not in said
    assert "ERROR" not in said
    with psycopg.connect(project.superuser) as connection:
        linter = connection.execute(
            "SELECT FROM pg_available_extensions WHERE name = 'plpgsql_check'"
        ).fetchone()
    if linter is not None:  # Supabase has it; an embedded PostgreSQL has not
        execute(project.superuser, "CREATE EXTENSION IF NOT EXISTS plpgsql_check SCHEMA extensions")
        checkout.db("lint", "--schema", "public,rushes", "--level", "warning", "--fail-on", "warning")


async def test_push_to_a_new_project(project: Project, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, project)
    checkout.take(len(FILES))
    checkout.db("push")
    checked(checkout, project)
    assert await migrate(project.url) == [], "it is booked where `rushes db migrate` looks"
    furnish(project)
    assert seen(project) == SEEN


async def test_push_over_rows_of_the_version_before(project: Project, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, project)
    checkout.take(len(FILES) - 1)
    checkout.db("push")
    furnish(project)
    checkout.take(len(FILES))
    checkout.db("push")
    checked(checkout, project)
    assert seen(project) == SEEN


async def test_push_after_rushes_has_migrated(project: Project, tmp_path: Path) -> None:
    await migrate(project.url)
    checkout = Checkout(tmp_path, project)
    checkout.take(len(FILES))
    checkout.db("push")
    with psycopg.connect(project.superuser) as connection:
        booked = connection.execute(
            "SELECT version FROM supabase_migrations.schema_migrations ORDER BY 1"
        ).fetchall()
    assert [version for (version,) in booked] == [migration.version for migration in migrations()]
