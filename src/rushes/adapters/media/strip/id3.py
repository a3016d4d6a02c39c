"""MP3 and AAC: the tags around the frames (ID3v2 before, APE and ID3v1 behind)."""

from rushes.adapters.media.strip import flac
from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_APE_HAS_HEADER = 0x80000000


def plan(source: Source) -> list[Piece]:
    """Raises Malformed when nothing but tags is there."""
    start = _tags_end(source)
    if start + 4 <= source.size and source.at(start, 4) == b"fLaC":
        return flac.plan(source, start)
    end = _frames_end(source)
    if start >= end:
        raise Malformed("it holds no frames")
    plan = Plan()
    plan.keep(start, end - start)
    return plan.pieces


def _tags_end(source: Source) -> int:
    offset = 0
    while offset + 10 <= source.size and source.at(offset, 3) == b"ID3":
        has_footer = source.number(offset + 5, 1) & 0x10
        seven_bits = source.at(offset + 6, 4)
        size = sum((byte & 0x7F) << shift for byte, shift in zip(seven_bits, (21, 14, 7, 0), strict=True))
        offset += 10 + size + (10 if has_footer else 0)
    return offset


def _frames_end(source: Source) -> int:
    end = source.size
    if end >= 128 and source.at(end - 128, 3) == b"TAG":
        end -= 128
    if end >= 227 and source.at(end - 227, 4) == b"TAG+":
        end -= 227
    if end >= 32 and source.at(end - 32, 8) == b"APETAGEX":
        size, flags = source.number(end - 20, 4, "little"), source.number(end - 12, 4, "little")
        end -= size + (32 if flags & _APE_HAS_HEADER else 0)
    return end
