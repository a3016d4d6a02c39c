"""Whether the objects that rows name are still in the storage, by Supabase's own table of them."""

from typing import Any

from rushes.legacy.queries import query
from rushes.ports.legacy import LegacyDatabase

_EXAMPLES = 5


class Objects:
    """Collects what a batch names, and asks for all of it at once."""

    def __init__(self, source: LegacyDatabase) -> None:
        self._source = source
        self._asked: dict[tuple[str, str], str] = {}
        self._found = 0
        self._missing = 0
        self._examples: list[str] = []

    def ask(self, bucket: str, path: str, row: str) -> None:
        """Remember an object until `look`."""
        self._asked[bucket, path] = row

    async def look(self) -> None:
        """Find what was asked for."""
        if not self._asked:
            return
        asked = {"buckets": [bucket for bucket, _ in self._asked], "paths": [path for _, path in self._asked]}
        there = {(bucket, path) for bucket, path in await self._source.fetch(query("inspect_objects"), asked)}
        self._found += len(there)
        for (bucket, path), row in self._asked.items():
            if (bucket, path) not in there:
                self._missing += 1
                if len(self._examples) < _EXAMPLES:
                    self._examples.append(f"{bucket}/{path} ({row})")
        self._asked.clear()

    def as_dict(self) -> dict[str, Any]:
        return {"found": self._found, "missing": self._missing, "examples": self._examples}
