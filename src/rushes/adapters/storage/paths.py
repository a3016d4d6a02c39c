"""The guard of keys and paths: an object key becomes a path below the root, or nothing at all."""

import os
from pathlib import Path

from rushes.domain.errors import InvalidRequest
from rushes.domain.keys import is_valid_key

_SEGMENT_BYTES = 200  # the smallest common file system limit is 255, and temporary names need room


def guarded_path(root: Path, key: str) -> Path:
    """The path of `key` below `root`. Raises InvalidRequest for what is no key or would lead outside."""
    path = root / plain_key(key)
    real_root = Path(os.path.realpath(root))
    if not Path(os.path.realpath(path)).is_relative_to(real_root):
        raise InvalidRequest(
            f"{_shown(key)} leads outside the storage folder through a symbolic link: remove that link."
        )
    return path


def plain_key(key: str) -> str:
    """The key itself, whatever the store: one that keeps to the rules of all. Raises InvalidRequest."""
    if not is_plain_key(key):
        raise InvalidRequest(
            f"{_shown(key)} is not an object key: use letters, digits, . _ - and single slashes."
        )
    return key


def is_plain_key(key: str) -> bool:
    """Whether a key may become a path: valid, no hidden segment, no overlong one."""
    if not is_valid_key(key):
        return False
    return all(not part.startswith(".") and len(part) <= _SEGMENT_BYTES for part in key.split("/"))


def _shown(key: str) -> str:
    text = repr(key)
    return text if len(text) <= 80 else text[:77] + "…'"
