"""Files on their way in: written under a temporary name, made durable, then renamed into place."""

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

FOLDER = ".incoming"  # below the root, hence on the same file system; no key begins with a dot
_PLACING_TRIES = 50
_LINK_GRACE_SECONDS = 3600
_NO_LINKS = {errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EXDEV, errno.ENOSYS}


class IncomingFile:
    """One file being written. Its calls block; whatever happens, end with `place` or `abandon`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path: Path | None = None
        self._fd = -1
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, blocks: Sequence[bytes]) -> None:
        """Append blocks, hashing them."""
        if self._path is None:  # here, not in the constructor: whoever holds the object can always clean up
            self._fd, self._path = _create_locked(self._root / FOLDER)
        block = b"".join(blocks)
        self._sha256.update(block)
        view = memoryview(block)
        while view:
            view = view[os.write(self._fd, view) :]
        self.size += len(block)

    def place(self, target: Path, last_blocks: Sequence[bytes] = ()) -> str:
        """Write the last blocks and make the file durable under its final name; its sha256 in hex."""
        self.write(last_blocks)
        assert self._path is not None
        os.fsync(self._fd)
        move_into_place(self._root, self._path, target)
        self._close()
        return self._sha256.hexdigest()

    def abandon(self) -> None:
        """Leave nothing behind. Safe to call twice, and after `place`."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def move_into_place(root: Path, source: Path, target: Path) -> None:
    """Rename into a folder that a concurrent delete may be removing, and make the name durable."""
    for _ in range(_PLACING_TRIES):
        _make_folders(root, target.parent)
        try:
            source.rename(target)
            _sync_folder(target.parent)
        except FileNotFoundError:
            if not source.exists():
                raise
            continue
        return
    raise OSError(errno.EBUSY, "its folder is being deleted again and again", str(target.parent))


def link_or_copy(root: Path, source: Path, target: Path) -> None:
    """A second name for the same bytes. Objects are replaced, never changed, so a hard link is a copy."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    temporary = root / FOLDER / secrets.token_hex(16)
    try:
        os.link(source, temporary, follow_symlinks=False)
        move_into_place(root, temporary, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _copy(root, source, target)
    finally:
        temporary.unlink(missing_ok=True)  # a rename between two links to one file does nothing at all


def sweep(root: Path) -> int:
    """Remove what killed processes left; how many. A file that is still being written is locked, and kept."""
    folder = root / FOLDER
    if not folder.is_dir():
        return 0
    return sum(_remove_orphan(path) for path in folder.iterdir())


def _remove_orphan(path: Path) -> bool:
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            state = os.fstat(fd)
            if state.st_nlink > 1 and time.time() - state.st_ctime < _LINK_GRACE_SECONDS:
                return False  # a copy that is just being placed
            path.unlink()
            return True
        finally:
            os.close(fd)
    return False


def _copy(root: Path, source: Path, target: Path) -> None:
    incoming = IncomingFile(root)
    try:
        with source.open("rb") as reader:
            while block := reader.read(1024 * 1024):
                incoming.write([block])
        incoming.place(target)
    finally:
        incoming.abandon()


def _create_locked(folder: Path) -> tuple[int, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / secrets.token_hex(16)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:  # else a sweep came between creating and locking
            return fd, path
        os.close(fd)


def _make_folders(root: Path, folder: Path) -> None:
    if folder.is_dir():
        return
    if folder != root:
        _make_folders(root, folder.parent)
    with contextlib.suppress(FileExistsError):
        try:
            folder.mkdir()
        except FileNotFoundError:  # the parent was deleted meanwhile: the caller tries again
            return
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:  # deleted again: there is nothing to make durable
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
