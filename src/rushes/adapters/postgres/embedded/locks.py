"""Locks on files that the kernel gives back when their last holder dies, however it dies."""

import fcntl
import os
import time
from pathlib import Path

_POLL_SECONDS = 0.02


class FileLock:
    """A flock on one file. Held by this object's descriptor and by every process that inherits it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock; others are not looked at."""
        return self._descriptor is not None

    def acquire(self, *, shared: bool = False, timeout: float = 0) -> bool:
        """Take the lock within `timeout` seconds; False when somebody else kept it. Raises OSError."""
        deadline = time.monotonic() + timeout
        while not self._try(fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def make_exclusive(self) -> bool:
        """Turn a shared lock into an exclusive one; False, and still shared, when others share it."""
        descriptor = self.descriptor()
        if _flock(descriptor, fcntl.LOCK_EX):
            return True
        # A failed conversion may have dropped the shared lock.
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return False

    def make_shared(self) -> None:
        """Turn an exclusive lock back into a shared one."""
        fcntl.flock(self.descriptor(), fcntl.LOCK_SH)

    def descriptor(self) -> int:
        """The locked descriptor, to hand to a child that shall hold the lock too."""
        if self._descriptor is None:
            raise RuntimeError(f"{self.path} is not locked by us")
        return self._descriptor

    def release(self) -> None:
        """Close our descriptor; children that inherited it keep the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self, operation: int) -> bool:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if _flock(descriptor, operation) and _is_still(self.path, descriptor):
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return False


def is_locked(path: Path) -> bool:
    """Whether anybody holds an exclusive lock on the file. Never disturbs a holder."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _flock(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    """False when the file was removed (and perhaps made anew) while we waited for its lock."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
