"""The command line: `rushes …`. Exit codes: 0 done, 1 failed, 2 usage."""

import sys
from typing import Annotated

import typer

from rushes import __version__
from rushes.cli import running
from rushes.cli.database import db
from rushes.cli.doctor import doctor
from rushes.cli.jobs import jobs
from rushes.cli.openapi import openapi
from rushes.cli.output import fail, show
from rushes.cli.servers import queue, servers
from rushes.cli.signals import Interrupted
from rushes.cli.submit import submit
from rushes.cli.workflows import workflows
from rushes.domain.errors import RushesError

app = typer.Typer(
    name="rushes",
    help="One job table, one storage layout, one live feed and one dispatcher in front of ComfyUI servers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        show(f"rushes {__version__}")
        raise typer.Exit


running.add_to(app)
for command in (submit, doctor, openapi):
    app.command()(command)
for name, group in (
    ("jobs", jobs),
    ("workflows", workflows),
    ("servers", servers),
    ("queue", queue),
    ("db", db),
):
    app.add_typer(group, name=name)


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """What stands before a command."""


def main() -> None:
    """Entry point of the `rushes` command."""
    try:
        app()
    except RushesError as error:
        for field, why in error.details.get("fields", {}).items():
            fail(f"{field}: {why}")
        if "fields" not in error.details:
            fail(error.message)
        sys.exit(1)
    except OSError as error:
        fail(f"{error.filename or 'the system'}: {error.strerror or error}")
        sys.exit(1)
    except Interrupted as stopped:
        fail(f"stopped by {stopped}")
        sys.exit(stopped.exit_code)
