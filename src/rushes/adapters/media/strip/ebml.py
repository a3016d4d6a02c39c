"""Matroska and WEBM: tags, titles and track names become void elements of the same size, so that offsets hold."""

from collections.abc import Iterator
from dataclasses import dataclass

from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_SEGMENT, _CLUSTER, _TAGS, _INFO = 0x18538067, 0x1F43B675, 0x1254C367, 0x1549A966
_SEEK_HEAD, _SEEK, _SEEK_ID = 0x114D9B74, 0x4DBB, 0x53AB
_TRACKS, _TRACK_ENTRY, _TRACK_NAME = 0x1654AE6B, 0xAE, 0x536E
_TITLE, _SEGMENT_FILENAME, _CRC = 0x7BA9, 0x7384, 0xBF
_WORDS = {_TITLE, _SEGMENT_FILENAME, _TRACK_NAME}
_TAGS_ID = _TAGS.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class _Element:
    id: int
    start: int
    body: int
    end: int


def plan(source: Source) -> list[Piece]:
    """Raises Malformed."""
    doomed: list[_Element] = []
    for top in _elements(source, 0, source.size):
        if top.id == _SEGMENT:
            for element in _elements(source, top.body, top.end):
                doomed += _doomed(source, element)
    plan = Plan()
    done = 0
    for element in sorted(doomed, key=lambda element: element.start):
        plan.keep(done, element.start - done)
        _void(plan, element)
        done = element.end
    plan.keep(done, source.size - done)
    return plan.pieces


def _doomed(source: Source, element: _Element) -> list[_Element]:
    """What must go of one element of the segment; a checksum over it goes too."""
    if element.id == _TAGS:
        return [element]
    if element.id not in (_INFO, _SEEK_HEAD, _TRACKS):
        return []
    inner = list(_elements(source, element.body, element.end))
    words = [word for child in inner for word in _words(source, child)]
    return words + [child for child in inner if child.id == _CRC] if words else []


def _words(source: Source, element: _Element) -> list[_Element]:
    if element.id in _WORDS or _seeks_tags(source, element):
        return [element]
    if element.id != _TRACK_ENTRY:
        return []
    return [child for child in _elements(source, element.body, element.end) if child.id in _WORDS]


def _seeks_tags(source: Source, element: _Element) -> bool:
    return element.id == _SEEK and any(
        child.id == _SEEK_ID and source.at(child.body, child.end - child.body) == _TAGS_ID
        for child in _elements(source, element.body, element.end)
    )


def _void(plan: Plan, element: _Element) -> None:
    size = element.end - element.start
    head = (
        b"\xec" + (0x80 | size - 2).to_bytes(1, "big")
        if size < 100
        else b"\xec\x01" + (size - 9).to_bytes(7, "big")
    )
    plan.write(head)
    plan.blank(size - len(head))


def _elements(source: Source, offset: int, end: int) -> Iterator[_Element]:
    while offset < end:
        id_size = _width(source, offset, most=4)
        size_size = _width(source, offset + id_size, most=8)
        body = offset + id_size + size_size
        size = source.number(offset + id_size, size_size) & (1 << 7 * size_size) - 1
        id = source.number(offset, id_size)
        if size == (1 << 7 * size_size) - 1:  # unknown: a live stream
            if id not in (_SEGMENT, _CLUSTER):
                raise Malformed("an element of unknown size")
            stop = (
                end if id == _SEGMENT else body
            )  # a cluster's blocks are walked as if they were its neighbours
        else:
            stop = body + size
        if stop > end:
            raise Malformed("an element doesn't fit")
        yield _Element(id, offset, body, stop)
        offset = stop


def _width(source: Source, offset: int, *, most: int) -> int:
    width = 9 - source.number(offset, 1).bit_length()
    if width > most:
        raise Malformed("an impossible number")
    return width
