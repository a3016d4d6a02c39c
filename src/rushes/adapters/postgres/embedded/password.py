"""The superuser's password: made by us, kept in a file that only we can read."""

import os
import secrets
from pathlib import Path

from rushes.domain.errors import InvalidSetting


def read(path: Path) -> str | None:
    """The password; None when there is none yet. Raises InvalidSetting when others could read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidSetting(f"{path} can be read by others: run `chmod 600 {path}`.")
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None


def make(path: Path) -> str:
    """Write a fresh password. The server doesn't know it yet."""
    password = secrets.token_urlsafe(32)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    write_private(partial, password + "\n")
    partial.replace(path)
    return password


def write_private(path: Path, text: str) -> None:
    """A new file that only its owner can read, safe on the disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
