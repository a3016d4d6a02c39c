"""Options that several steps of a takeover share."""

import re
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
Hurry = Annotated[
    bool,
    typer.Option(
        "--hurry",
        help="Work as fast as if nobody wrote: the old app's writes take many times as long meanwhile.",
    ),
]

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(text: str) -> float:
    """The seconds of --stale-after: 90m, 24h, 7d."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise typer.BadParameter(f"--stale-after is a number with s, m, h or d, such as 24h, not {text!r}")
    return float(found[1]) * _SECONDS[found[2]]
