"""Operating system errors, in words that say what to do."""

import errno
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rushes.domain.errors import InvalidSetting, RushesError, Unavailable

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
NO_ROOM_TEXT = ("No space left on device", "Disk quota exceeded")


def no_room(where: Path) -> Unavailable:
    """The disk under the database is full."""
    return Unavailable(f"No room is left on the disk of {where}: free some space there, then start again.")


def foreign(what: Path, uid: int) -> InvalidSetting:
    """A data directory that another user made."""
    return InvalidSetting(
        f"{what} belongs to the user {user_name(uid)}: run Rushes as that user, "
        "or name another data directory (RUSHES_DATA_DIR or --data-dir)."
    )


def user_name(uid: int) -> str:
    """The login name, or the bare number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@contextmanager
def explained(data_dir: Path) -> Iterator[None]:
    """Turn an OSError into InvalidSetting (the directory can't be used) or Unavailable (no room)."""
    try:
        yield
    except OSError as error:
        raise _explain(error, data_dir) from error


def _explain(error: OSError, data_dir: Path) -> RushesError:
    where = Path(error.filename) if isinstance(error.filename, str) else data_dir
    if error.errno in _NO_ROOM:
        return no_room(where)
    return InvalidSetting(
        f"The embedded database can't use {where}: {error.strerror}. Make {data_dir} a directory that "
        "this user can write, name another one (RUSHES_DATA_DIR or --data-dir), "
        "or use a PostgreSQL of your own (RUSHES_DATABASE_URL)."
    )
