"""Ogg (Opus, Vorbis, FLAC, Theora): comments are emptied inside their packet, so that no page moves."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_MAGICS = (b"OpusTags", b"\x03vorbis", b"\x81theora")
_VORBIS_END = b"\x01"  # Vorbis wants a framing bit after its comments
_POLYNOMIAL = 0x04C11DB7


@dataclass(slots=True)
class _Track:
    """What was read of one logical stream's head."""

    packet: int = 0
    comment: bytearray = field(default_factory=bytearray)
    places: list[tuple[int, int, int]] = field(default_factory=list)  # page, offset in the page, size


def plan(source: Source) -> list[Piece]:
    """Raises Malformed, also for codecs whose comments are not known."""
    pages: dict[int, bytearray] = {}
    tracks: dict[int, _Track] = {}
    for start, page in _pages(source):
        serial = int.from_bytes(page[14:18], "little")
        if page[5] & 2:
            tracks[serial] = _Track()
        elif all(track.packet > 1 for track in tracks.values()):
            break
        if serial not in tracks:
            raise Malformed("a page of no stream")
        pages[start] = bytearray(page)
        _read_packets(tracks[serial], start, page)
    touched = {start for track in tracks.values() for start in _empty(track, pages)}
    plan = Plan()
    done = 0
    for start in sorted(touched):
        plan.keep(done, start - done)
        plan.write(_sealed(pages[start]))
        done = start + len(pages[start])
    plan.keep(done, source.size - done)
    return plan.pieces


def _pages(source: Source) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset < source.size:
        if source.at(offset, 4) != b"OggS":
            raise Malformed("a page is missing")
        count = source.number(offset + 26, 1)
        size = 27 + count + sum(source.at(offset + 27, count))
        yield offset, source.at(offset, size)
        offset += size


def _read_packets(track: _Track, start: int, page: bytes) -> None:
    count = page[26]
    offset = 27 + count
    for lacing in page[27 : 27 + count]:
        if track.packet == 1:
            track.comment += page[offset : offset + lacing]
            track.places.append((start, offset, lacing))
        offset += lacing
        track.packet += lacing < 255


def _empty(track: _Track, pages: dict[int, bytearray]) -> set[int]:
    """Write the emptied comment back to where it was; the pages that changed."""
    emptied, done = _without_comments(bytes(track.comment)), 0
    for start, offset, size in track.places:
        pages[start][offset : offset + size] = emptied[done : done + size]
        done += size
    return {start for start, _, _ in track.places}


def _without_comments(packet: bytes) -> bytes:
    magic = next((magic for magic in _MAGICS if packet.startswith(magic)), None)
    head = len(magic) if magic else 4  # FLAC in Ogg: a block head of four bytes
    if magic is None and packet[:1] not in (b"\x04", b"\x84"):
        raise Malformed("an unknown codec")
    vendor_end = head + 4 + int.from_bytes(packet[head : head + 4], "little")
    emptied = packet[:vendor_end] + bytes(4) + (_VORBIS_END if magic == _MAGICS[1] else b"")
    if len(emptied) > len(packet):
        raise Malformed("its comments end too early")
    return emptied + bytes(len(packet) - len(emptied))


def _sealed(page: bytearray) -> bytes:
    page[22:26] = bytes(4)
    page[22:26] = _checksum(page).to_bytes(4, "little")
    return bytes(page)


def _table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (_POLYNOMIAL if value & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(value)
    return table


_TABLE = _table()


def _checksum(content: bytearray) -> int:
    value = 0
    for byte in content:
        value = (value << 8 & 0xFFFFFFFF) ^ _TABLE[value >> 24 ^ byte]
    return value
