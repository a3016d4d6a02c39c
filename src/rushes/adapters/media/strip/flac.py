"""FLAC: comments and application blocks."""

from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_DROPPED = {2, 4}  # APPLICATION, VORBIS_COMMENT


def plan(source: Source, start: int = 0) -> list[Piece]:
    """Keep stream information, seek table, cue sheet, cover and all frames. Raises Malformed."""
    kept: list[tuple[int, int, int]] = []
    offset, last = start + 4, False
    while not last:
        flags, size = source.number(offset, 1), source.number(offset + 1, 3)
        last = bool(flags & 0x80)
        if flags & 0x7F not in _DROPPED:
            kept.append((flags & 0x7F, offset, size))
        offset += 4 + size
    if offset >= source.size or not kept:
        raise Malformed("it holds no frames")
    plan = Plan()
    plan.keep(start, 4)
    for kind, begin, size in kept:
        final = 0x80 if begin == kept[-1][1] else 0
        plan.write(bytes([kind | final]))
        plan.keep(begin + 1, 3 + size)
    plan.keep(offset, source.size - offset)
    return plan.pieces
