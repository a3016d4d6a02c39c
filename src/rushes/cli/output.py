"""What a command prints: words to stderr, data to stdout."""

import json
import sys
from collections.abc import Sequence
from typing import Any


def say(words: str) -> None:
    """A line for the person at the terminal."""
    print(words, file=sys.stderr, flush=True)


def fail(words: str) -> None:
    """Why it didn't work."""
    print(f"rushes: {words}", file=sys.stderr, flush=True)


def show(text: str) -> None:
    """A line of data."""
    print(text, flush=True)


def show_json(data: Any) -> None:
    """Data for a program."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str), flush=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows of data; in a pipe one line a row, separated by tabs."""
    if not rows:
        say("None found.")
        return
    if not sys.stdout.isatty():
        for row in rows:
            show("\t".join(row))
        return
    from rich.console import Console  # noqa: PLC0415  # most commands draw no table
    from rich.table import Table  # noqa: PLC0415  # the same

    shown = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*row)
    Console(markup=False, highlight=False).print(shown)
