"""One command that uses the embedded database, as a process of its own.

It prints a line of JSON when it has started, and another when it has left, which it does when its input ends.
"""

import argparse
import encodings.idna  # noqa: F401  # imported late by sockets, when another user may not read it any more
import json
import os
import sys
from pathlib import Path

from rushes.adapters.postgres.embedded import EmbeddedPostgres
from rushes.domain.errors import RushesError


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--system-dir", type=Path, required=True)
    parser.add_argument("--binaries", type=Path)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--settings", type=json.loads, default={})
    arguments = parser.parse_args()
    if arguments.uid is not None:
        become(arguments.uid)
    postgres = EmbeddedPostgres(
        arguments.data_dir,
        binaries=arguments.binaries,
        settings=arguments.settings,
        system_dir=arguments.system_dir,
        timeout=20,
    )
    try:
        tell(url=postgres.start())
    except RushesError as error:
        tell(code=error.code, message=error.message)
        return
    sys.stdin.read()
    tell(stopped=postgres.stop())


def become(uid: int) -> None:
    """An ordinary user. Done here, after the imports, because that user may be unable to read this Python."""
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def tell(**said: object) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
