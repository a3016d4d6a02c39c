"""Files on their way out: a range of a file in blocks, and what the file system says of it."""

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rushes.domain.errors import NotFound
from rushes.ports import ObjectStat

BLOCK = 1024 * 1024


class OutgoingFile:
    """The bytes from start to end (exclusive) of one file. Its calls block; end with `close`."""

    def __init__(self, find: Callable[[str], Path], key: str, *, start: int, end: int | None) -> None:
        self._find = find
        self._key = key
        self._position = start
        self._end = end
        self._fd = -1

    def read(self) -> bytes:
        """The next block, empty at the end. Raises NotFound."""
        if self._fd < 0:
            self._fd = self._open()
        size = BLOCK if self._end is None else min(BLOCK, self._end - self._position)
        block = os.pread(self._fd, size, self._position) if size > 0 else b""
        self._position += len(block)
        return block

    @property
    def finished(self) -> bool:
        """Whether another read would be empty, as far as that is known without one."""
        return self._fd >= 0 and self._end is not None and self._position >= self._end

    def close(self) -> None:
        """Safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> int:
        try:
            fd = os.open(self._find(self._key), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise missing(self._key) from None
        state = os.fstat(fd)
        if stat.S_ISREG(state.st_mode):
            # objects are replaced, never changed: it stays as long as it is
            self._end = state.st_size if self._end is None else min(self._end, state.st_size)
            return fd
        os.close(fd)
        raise missing(self._key)


def missing(key: str) -> NotFound:
    """There is no such object."""
    return NotFound(f"There is no stored file {key}: it was deleted, or never stored.")


def stat_object(path: Path, key: str) -> ObjectStat | None:
    """Size, time and an etag that changes with every put."""
    try:
        state = path.stat(follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(state.st_mode):
        return None
    return ObjectStat(
        key=key,
        size_bytes=state.st_size,
        etag=f"{state.st_mtime_ns:x}-{state.st_size:x}-{state.st_ino:x}",
        modified_at=datetime.fromtimestamp(state.st_mtime, UTC),
    )
