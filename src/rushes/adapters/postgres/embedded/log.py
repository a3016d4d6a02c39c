"""The server's log: one file that it appends to, kept small by copying it away and truncating."""

import os
import shutil
from pathlib import Path

LIMIT_BYTES = 10 * 1024 * 1024
_KEPT = 3


def open_log(path: Path) -> int:
    """A descriptor that appends, for the server's stdout and stderr."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def rotate(path: Path, *, limit_bytes: int = LIMIT_BYTES) -> bool:
    """Keep three older files beside a log that grew over the limit. Safe while the server writes:
    it appends, so it goes on at the new end."""
    if size(path) <= limit_bytes:
        return False
    for number in range(_KEPT, 1, -1):
        older = _numbered(path, number - 1)
        if older.exists():
            older.replace(_numbered(path, number))
    shutil.copy2(path, _numbered(path, 1), follow_symlinks=False)
    os.truncate(path, 0)
    return True


def size(path: Path) -> int:
    """Bytes, 0 when there is no log yet."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def since(path: Path, offset: int) -> str:
    """What was written after `offset` bytes, at most the last 4 KB of it."""
    try:
        with path.open("rb") as file:
            file.seek(max(offset, size(path) - 4096))
            return file.read().decode(errors="replace").strip()
    except FileNotFoundError:
        return ""


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
