"""The command line: `rushes …`. Exit codes: 0 done, 1 failed, 2 usage."""

import sys

import typer

from rushes.cli import running
from rushes.cli.output import fail
from rushes.domain.errors import RushesError

app = typer.Typer(
    name="rushes",
    help="One job table, one storage layout, one live feed and one dispatcher in front of ComfyUI servers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
running.add_to(app)


def main() -> None:
    """Entry point of the `rushes` command."""
    try:
        app()
    except RushesError as error:
        fail(error.message)
        sys.exit(1)
