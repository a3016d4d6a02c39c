"""RIFF: WEBP is rebuilt without its metadata; WAV and AVI have theirs blanked where it stands."""

from collections.abc import Iterator

from rushes.adapters.media.strip.exif import only_orientation
from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_WEBP_SHOWN = {b"VP8 ", b"VP8L", b"ICCP", b"ANIM", b"ANMF", b"ALPH"}
_WORDS = {b"id3 ", b"ID3 ", b"_PMX", b"iXML", b"axml", b"bext", b"IDIT", b"ISMP", b"strn"}
_LISTS = {b"hdrl", b"strl"}
_HAS_EXIF, _HAS_XMP = 0x08, 0x04


def plan_webp(source: Source) -> list[Piece]:
    """Raises Malformed."""
    end = 8 + source.number(4, 4, "little")
    if end > source.size:
        raise Malformed("it ends too early")
    chunks = list(_chunks(source, 12, end))
    exif = next((source.at(start + 8, size) for kind, start, size in chunks if kind == b"EXIF"), b"")
    turned = only_orientation(exif)
    body = Plan()
    for kind, start, size in chunks:
        if start + 8 + size > end:
            raise Malformed("a chunk ends too early")
        if kind == b"VP8X":
            _extended_header(body, source, start, size, has_exif=turned is not None)
        elif kind in _WEBP_SHOWN:
            body.keep(start, 8 + size)
            if size % 2:
                body.write(b"\x00")
    if turned:
        body.write(b"EXIF" + len(turned).to_bytes(4, "little") + turned)
    head = b"RIFF" + (4 + body.size()).to_bytes(4, "little") + b"WEBP"
    return [head, *body.pieces]


def _extended_header(body: Plan, source: Source, start: int, size: int, *, has_exif: bool) -> None:
    flags = source.number(start + 8, 1) & ~(_HAS_EXIF | _HAS_XMP)
    body.write(
        source.at(start, 8) + bytes([flags | (_HAS_EXIF if has_exif else 0)]) + source.at(start + 9, size - 1)
    )


def plan_in_place(source: Source) -> list[Piece]:
    """Turn chunks of words into JUNK of the same size, so that no index goes astray."""
    plan = Plan()
    done = 0
    for start, end in _words(source, 12, source.size):
        plan.keep(done, start - done)
        plan.write(b"JUNK" + source.at(start + 4, 4))
        plan.blank(end - start - 8)
        done = end
    plan.keep(done, source.size - done)
    return plan.pieces


def _words(source: Source, offset: int, limit: int) -> Iterator[tuple[int, int]]:
    for kind, start, size in _chunks(source, offset, limit):
        end = min(start + 8 + size, limit)
        inner = source.at(start + 8, 4) if kind == b"LIST" and size >= 4 else b""
        if kind in _WORDS or inner == b"INFO":
            yield start, end
        elif inner in _LISTS:
            yield from _words(source, start + 12, end)


def _chunks(source: Source, offset: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while offset + 8 <= end:
        kind, size = source.at(offset, 4), source.number(offset + 4, 4, "little")
        yield kind, offset, size
        offset += 8 + size + size % 2
