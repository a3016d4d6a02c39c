"""rushes db: migrate, status, url, psql, backup, restore."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit, urlunsplit

import typer

from rushes.adapters.postgres import backup as backups
from rushes.adapters.postgres.embedded import EmbeddedPostgres
from rushes.adapters.postgres.migrations import make_roles, migrations
from rushes.adapters.postgres.migrations import migrate as apply
from rushes.adapters.postgres.migrations import status as states
from rushes.bootstrap.installation import database_url
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show, show_json, table
from rushes.cli.signals import run_interruptibly
from rushes.domain.errors import InvalidFile, InvalidSetting, NotFound
from rushes.settings import Settings

db = typer.Typer(help="The database: its schema, state and address.", no_args_is_help=True)

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]


@db.command()
def migrate(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Bring the schema up to date; safe to run at any time, by several at once."""

    async def run() -> list[str]:
        async with database_url(settings(data_dir)) as url:
            return await apply(url)

    done = run_interruptibly(run())
    if as_json:
        show_json({"applied": done})
    else:
        say(f"Applied: {', '.join(done)}" if done else "The schema is up to date.")


@db.command()
def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Which migrations are applied, and how the embedded server is."""
    found = settings(data_dir)

    async def run() -> list[tuple[str, str, str]]:
        async with database_url(found) as url:
            return [(one.version, one.name or "", one.state.value) for one in await states(url)]

    embedded = None if found.database_url else EmbeddedPostgres(found.data_dir).status()
    rows = run_interruptibly(run())
    if as_json:
        migrations = [{"version": v, "name": n, "state": s} for v, n, s in rows]
        show_json({"migrations": migrations, "embedded_was_running": embedded.running if embedded else None})
    else:
        if embedded:
            where = (
                f"PostgreSQL {embedded.major} in {embedded.cluster}" if embedded.cluster else "not made yet"
            )
            say(f"Embedded: {where}, {'running' if embedded.running else 'not running'}")
        table(("version", "name", "state"), rows)
    if any(state != "applied" for _, _, state in rows):
        sys.exit(1)


@db.command()
def url(data_dir: DataDir = None) -> None:
    """The address of the running database, with its password."""
    show(_url(settings(data_dir)))


@db.command()
def psql(data_dir: DataDir = None) -> None:
    """Open psql on the database."""
    found = settings(data_dir)
    program = shutil.which("psql")
    if program is None:
        raise NotFound(
            "psql is not installed. Install PostgreSQL's client, or use `rushes db url` with another one."
        )

    async def run() -> int:
        async with database_url(found) as address:
            # the password goes by the environment: every user of the machine can read a command line
            parts = urlsplit(address)
            plain = parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@", 1))
            surroundings = {**os.environ, "PGPASSWORD": unquote(parts.password or "")}
            command = [program, "-d", urlunsplit(plain)]
            return await asyncio.to_thread(
                lambda: subprocess.run(command, env=surroundings, check=False).returncode
            )

    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for psql, which cancels a statement by it
    sys.exit(asyncio.run(run()))


@db.command()
def backup(file: BackupFile, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Write the embedded database into a file, also while Rushes runs. The files of jobs are not in it."""
    found = settings(data_dir)
    _check_embedded(found)
    with EmbeddedPostgres(found.data_dir) as address:
        contents = backups.back_up(address, file)
    _tell(contents, file, as_json, f"Backed up into {file}")


@db.command()
def restore(file: BackupFile, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Put a backup into an empty installation, verify it, and bring the schema up to date."""
    found = settings(data_dir)
    _check_embedded(found)
    unknown = set(backups.read(file).migrations) - {one.version for one in migrations()}
    if unknown:
        raise InvalidFile(f"{file} was made by a newer Rushes (it has {min(unknown)}): install that one.")
    with EmbeddedPostgres(found.data_dir) as address:
        asyncio.run(make_roles(address))
        contents = backups.restore(address, file)
        applied = asyncio.run(apply(address))
    _tell(contents, file, as_json, f"Restored and verified {file}")
    if applied and not as_json:
        say(f"Applied: {', '.join(applied)}")


def _tell(contents: backups.Contents, file: Path, as_json: bool, done: str) -> None:
    if as_json:
        show_json({"file": str(file), "made_at": contents.made_at, "rows": contents.rows})
        return
    jobs = contents.rows.get("public.workflow_jobs", 0)
    say(f"{done}: {sum(contents.rows.values())} rows, {jobs} of them jobs, as of {contents.made_at}.")


def _check_embedded(found: Settings) -> None:
    if found.database_url:
        raise InvalidSetting(
            "This is for the embedded database. RUSHES_DATABASE_URL is set: use pg_dump and pg_restore, or what your "
            "database's host offers."
        )


def _url(found: Settings) -> str:
    if found.database_url:
        return found.database_url.get_secret_value()
    return EmbeddedPostgres(found.data_dir).url()
