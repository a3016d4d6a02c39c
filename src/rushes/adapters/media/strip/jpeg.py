"""JPEG: EXIF but for the orientation, XMP, IPTC, comments."""

from rushes.adapters.media.strip.exif import only_orientation
from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_SCAN, _END, _COMMENT = 0xDA, 0xD9, 0xFE
_BARE = {0x01, *range(0xD0, 0xD8)}
_APPLICATION = range(0xE0, 0xF0)
_SHOWN = {0xE0: b"JF", 0xE2: b"ICC_PROFILE\x00", 0xEE: b"Adobe"}  # needed for size, colour and decoding


def plan(source: Source) -> list[Piece]:
    """Everything from the first scan on is kept as it is. Raises Malformed."""
    plan = Plan()
    plan.keep(0, 2)
    offset = 2
    while True:
        if source.at(offset, 1) != b"\xff":
            raise Malformed("a marker is missing")
        marker = source.number(offset + 1, 1)
        if marker in (_SCAN, _END):
            plan.keep(offset, source.size - offset)
            return plan.pieces
        if marker == 0xFF or marker in _BARE:
            size = 1 if marker == 0xFF else 2
            plan.keep(offset, size)
        else:
            size = 2 + source.number(offset + 2, 2)
            _segment(plan, source, offset, size, marker)
        offset += size


def _segment(plan: Plan, source: Source, offset: int, size: int, marker: int) -> None:
    content = source.at(offset + 4, size - 4)
    if marker == 0xE1 and content.startswith(b"Exif\x00"):
        if kept := only_orientation(content):
            exif = b"Exif\x00\x00" + kept
            plan.write(b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif)
        return
    dropped = marker in _APPLICATION and not (marker in _SHOWN and content.startswith(_SHOWN[marker]))
    if not dropped and marker != _COMMENT:
        plan.keep(offset, size)
