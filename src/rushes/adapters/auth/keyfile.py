"""The key that signs sessions: made on first start, kept with mode 0600."""

import os
import secrets
import tempfile
from pathlib import Path

from rushes.domain.errors import InvalidSetting

LENGTH = 32


def session_key(path: Path) -> bytes:
    """The installation's key; made when it isn't there. Raises InvalidSetting."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise InvalidSetting(
            f"The session key {path} can't be used: {error.strerror}. Look at its rights."
        ) from error
    if len(key) < LENGTH:
        raise InvalidSetting(
            f"The session key {path} is damaged. Delete it; everybody is signed out by that."
        )
    return key


def _make(path: Path) -> None:
    """Whole or not at all, and the first of two processes wins."""
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 0600
    draft = Path(name)
    try:
        os.write(handle, secrets.token_bytes(LENGTH))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
