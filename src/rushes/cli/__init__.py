"""The command line: `rushes …`. Exit codes: 0 done, 1 failed, 2 usage."""

import sys
from importlib import import_module
from typing import Annotated

import typer

from rushes import __version__
from rushes.cli.output import fail, show
from rushes.cli.signals import Interrupted
from rushes.domain.errors import RushesError

# Only the command that is called gets imported: all of them together take a second.
COMMANDS = {
    "up": "running:up",
    "serve": "running:serve",
    "dispatch": "running:dispatch",
    "submit": "submit:submit",
    "doctor": "doctor:doctor",
    "openapi": "openapi:openapi",
    "jobs": "jobs:jobs",
    "workflows": "workflows:workflows",
    "servers": "servers:servers",
    "queue": "servers:queue",
    "users": "users:users",
    "keys": "keys:keys",
    "storage": "storage:storage",
    "db": "database:db",
    "legacy": "legacy:legacy",
}


def program(command: str | None = None) -> typer.Typer:
    """The program with that command, or with all."""
    app = typer.Typer(
        name="rushes",
        help="One job table, one storage layout, one live feed and one dispatcher in front of ComfyUI servers.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        add_completion=False,
    )
    app.callback()(_before)
    for name in [command] if command in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        found = getattr(import_module(f"{__name__}.{module}"), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def main() -> None:
    """Entry point of the `rushes` command."""
    try:
        program(sys.argv[1] if len(sys.argv) > 1 else None)()
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


def _version(wanted: bool) -> None:
    if wanted:
        show(f"rushes {__version__}")
        raise typer.Exit


def _before(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """What may stand before a command."""
