"""Options that several steps of a takeover share."""

from typing import Annotated

import typer

Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        envvar="RUSHES_LEGACY_SOURCE",
        help="The database of the old tables, as postgresql://…; default the installation's own.",
        show_default=False,
        show_envvar=True,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]
