"""What is inside of files."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a file really is: sniffed and measured, not believed."""

    content_type: str
    kind: str  # image | video | audio | text | model3d | file
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    fps: float | None = None
    problem: str | None = None  # why it couldn't be read, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Derived pictures of an output, stored beside it."""

    thumb_key: str | None = None
    poster_key: str | None = None
    thumbhash: str | None = None


class Media(Protocol):
    """Looks into files, in worker processes."""

    async def probe(self, key: str, *, filename: str = "") -> Probe: ...

    async def preview(self, key: str, probe: Probe, *, thumb_key: str, poster_key: str) -> Preview: ...

    async def strip(self, stream: AsyncIterator[bytes], *, filename: str) -> AsyncIterator[bytes]:
        """The same file without the prompt and graph that ComfyUI writes into it."""
        ...
