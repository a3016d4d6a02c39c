"""MP4 and QuickTime: user data and metadata boxes become free space of the same size, so that offsets hold."""

from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_WORDS = {b"udta", b"meta", b"meco", b"ID32", b"Xtra"}
_INNER = {b"moov", b"trak", b"moof", b"traf", b"mdia", b"minf"}
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def plan(source: Source) -> list[Piece]:
    """Raises Malformed."""
    plan = Plan()
    _walk(plan, source, 0, source.size)
    return plan.pieces


def _walk(plan: Plan, source: Source, offset: int, end: int) -> None:
    while offset + 8 <= end:
        size, head, kind = _box(source, offset, end)
        if kind in _WORDS or (kind == b"uuid" and source.at(offset + head, 16) == _XMP):
            plan.write(source.at(offset, 4) + b"free" + source.at(offset + 8, head - 8))
            plan.blank(size - head)
        elif kind in _INNER:
            plan.keep(offset, head)
            _walk(plan, source, offset + head, offset + size)
        else:
            plan.keep(offset, size)
        offset += size
    plan.keep(offset, end - offset)  # QuickTime may end a list with four zeros


def _box(source: Source, offset: int, end: int) -> tuple[int, int, bytes]:
    """Size, size of its head, and type."""
    size, head, kind = source.number(offset, 4), 8, source.at(offset + 4, 4)
    if size == 1:
        size, head = source.number(offset + 8, 8), 16
    elif size == 0:
        size = end - offset
    if size < head or offset + size > end:
        raise Malformed("a box doesn't fit")
    return size, head, kind
