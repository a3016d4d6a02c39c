"""A new file described as pieces of an old one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

BLOCK = 1024 * 1024
_MOST_PIECES = 100_000
_MOST_READS = 20_000_000


class Malformed(Exception):
    """The file isn't built as its format says; it is passed on unchanged."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of the old file."""

    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Zeros:
    """Blanked bytes, where offsets must stay."""

    size: int


Piece = Span | Zeros | bytes


class Source:
    """The old file, read at will."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._reads = 0
        self.size = size

    def at(self, offset: int, size: int) -> bytes:
        """Exactly those bytes. Raises Malformed past the end."""
        self._reads += 1
        if offset < 0 or size < 0 or offset + size > self.size or self._reads > _MOST_READS:
            raise Malformed("it ends too early")
        self._file.seek(offset)
        return self._file.read(size)

    def number(self, offset: int, size: int, order: str = "big") -> int:
        """An unsigned integer. Raises Malformed."""
        return int.from_bytes(self.at(offset, size), "little" if order == "little" else "big")

    def contents(self, pieces: list[Piece]) -> Iterator[bytes]:
        """The new file, in blocks."""
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                for done in range(0, piece.size, BLOCK):
                    size = min(BLOCK, piece.size - done)
                    yield self.at(piece.start + done, size) if isinstance(piece, Span) else bytes(size)


class Plan:
    """Collects pieces, joining neighbours."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    def keep(self, start: int, size: int) -> None:
        """Take bytes over as they are."""
        last = self.pieces[-1] if self.pieces else None
        if isinstance(last, Span) and last.start + last.size == start:
            self.pieces[-1] = Span(last.start, last.size + size)
        elif size:
            self._add(Span(start, size))

    def write(self, content: bytes) -> None:
        """Put new bytes."""
        self._add(content)

    def blank(self, size: int) -> None:
        """Put zeros."""
        self._add(Zeros(size))

    def size(self) -> int:
        """How large the new file is so far."""
        return sum(len(piece) if isinstance(piece, bytes) else piece.size for piece in self.pieces)

    def _add(self, piece: Piece) -> None:
        if piece == b"":
            return
        if len(self.pieces) >= _MOST_PIECES:
            raise Malformed("it has too many parts")
        self.pieces.append(piece)
