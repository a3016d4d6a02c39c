"""Listing by prefix: keys in order, a page at a time."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rushes.adapters.storage.paths import is_plain_key
from rushes.adapters.storage.reading import stat_object
from rushes.ports import ObjectStat

_PAGE = 500


class Listing:
    """One walk below the root. `page` blocks."""

    def __init__(self, root: Path, prefix: str) -> None:
        self._prefix = prefix
        folder = prefix.rpartition("/")[0]
        plain = not folder or is_plain_key(folder)
        self._found = self._walk(root / folder, f"{folder}/" if folder else "") if plain else iter(())

    def page(self) -> list[ObjectStat]:
        """The next objects; empty at the end."""
        return list(islice(self._found, _PAGE))

    def _walk(self, folder: Path, base: str) -> Iterator[ObjectStat]:
        for name, is_folder in _entries(folder):
            key = base + name
            if is_folder:
                if key.startswith(self._prefix) or self._prefix.startswith(key):
                    yield from self._walk(folder / name, key)
            elif key.startswith(self._prefix) and (found := stat_object(folder / name, key)):
                yield found


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Names in key order; a folder's name ends with its slash. Links and hidden names are no objects."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (f"{entry.name}/", True) if entry.is_dir(follow_symlinks=False) else (entry.name, False)
                for entry in entries
                if is_plain_key(entry.name) and not entry.is_symlink()
            )
    except (FileNotFoundError, NotADirectoryError):  # deleted while we walked
        return []
