"""An old row as far as it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rushes.legacy.references import Reference
from rushes.legacy.values import digest_of, text_of

Content = Mapping[str, Any]
Wanted = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What else decides: the operator's choices, and what the other rows say."""

    stale_before: int
    visibility: str = "private"
    shared: frozenset[str] | set[str] = frozenset()  # prompt ids that more than one row has
    owner: str | None = None
    unknown_owner: bool = False
    stored: Mapping[str, Any] = field(default_factory=dict)  # slot → {"source": digest, "file": …}
    items: Sequence[tuple[str, Content]] = ()


@dataclass(slots=True)
class Reading:
    """A row as far as it is read."""

    table: str
    row: str
    content: Content
    around: Surroundings
    wrong: set[str] = field(default_factory=set)
    want: Wanted = field(default_factory=dict)
    result: Reference | None = None
    result_file: Any = None

    def told(self, name: str) -> str | None:
        value = self.content.get(name)
        return value if isinstance(value, str) else text_of(value)

    def present(self, name: str) -> str | None:
        return self.told(name) or None

    def stored(self, slot: str, told: str) -> Any:
        """What `files` stored for a slot that still says the same."""
        found = self.around.stored.get(slot)
        return found["file"] if found and found["source"] == digest_of(told) else None


def described(key: str, name: str | None, source: Wanted, stored: Any) -> Wanted:
    """As `inputs` and `outputs` keep a file."""
    return {**stored, key: name, "source": source} if stored else {**source, key: name}
