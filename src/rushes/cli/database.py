"""rushes db: migrate, status, url, psql."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from urllib.parse import unquote, urlsplit, urlunsplit

import typer

from rushes.adapters.postgres.embedded import EmbeddedPostgres
from rushes.adapters.postgres.migrations import migrate as apply
from rushes.adapters.postgres.migrations import status as states
from rushes.bootstrap.installation import database_url
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show, show_json, table
from rushes.cli.signals import run_interruptibly
from rushes.domain.errors import NotFound
from rushes.settings import Settings

db = typer.Typer(help="The database: its schema, state and address.", no_args_is_help=True)


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


def _url(found: Settings) -> str:
    if found.database_url:
        return found.database_url.get_secret_value()
    return EmbeddedPostgres(found.data_dir).url()
