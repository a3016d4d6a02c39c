"""What the operating system says, in words a person can act on."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rushes.domain.errors import StorageFull, Unavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def storage_faults(root: Path) -> Iterator[None]:
    """Turn an OSError into StorageFull or Unavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full() from error
        raise Unavailable(
            f"The storage folder {root} can't be used: {error.strerror or error}. "
            "Check that it exists and that Rushes may write there."
        ) from error


def disk_full() -> StorageFull:
    """No room is left for another file."""
    return StorageFull(
        # people who submit jobs read this: the folder's name is the operator's, in `rushes doctor` and the log
        "The disk that holds the files is full, no room left: free some space, then run the job again."
    )
