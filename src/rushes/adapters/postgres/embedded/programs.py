"""Running PostgreSQL's own programs to their end."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rushes.adapters.postgres.embedded.account import Account
from rushes.adapters.postgres.embedded.problems import NO_ROOM_TEXT, no_room
from rushes.domain.errors import RushesError, Unavailable

_TIMEOUT_SECONDS = 300


def environment() -> dict[str, str]:
    """Nothing of the caller's PG* or locale settings."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C", "TZ": "UTC"}


def run(
    command: Sequence[str], account: Account, *, stdin: str = "", held: Sequence[int] = ()
) -> "subprocess.CompletedProcess[str]":
    """Run as `account`; the descriptors `held` stay open, and their locks held, until it ends."""
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_TIMEOUT_SECONDS,
        cwd="/",
        env=environment(),
        pass_fds=held,
        check=False,
        **account.process_owner(),
    )


def failure(where: Path, output: str) -> RushesError:
    """What went wrong with the database in `where`, from what the program said."""
    if any(text in output for text in NO_ROOM_TEXT):
        return no_room(where)
    return Unavailable(f"PostgreSQL can't use the database in {where}. It says: {output.strip()[-1500:]}")
