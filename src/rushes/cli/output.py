"""What a command prints: words to stderr, data to stdout."""

import json
import sys
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
