"""OpenEXR: strings in the header are overwritten with spaces, so that the offsets behind it hold."""

from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_MULTI_PART = 0x1000
_NEEDED = {b"name", b"type", b"view"}  # strings that tell a file's parts apart
_LONGEST_NAME = 255


def plan(source: Source) -> list[Piece]:
    """Raises Malformed."""
    plan = Plan()
    plan.keep(0, 8)
    offset = 8
    many = source.number(4, 4, "little") & _MULTI_PART
    while True:
        offset = _header(plan, source, offset)
        if not many or source.at(offset, 1) == b"\x00":
            break
    plan.keep(offset, source.size - offset)
    return plan.pieces


def _header(plan: Plan, source: Source, offset: int) -> int:
    """Plan one part's attributes; where its header ends."""
    while source.at(offset, 1) != b"\x00":
        name = _word(source, offset)
        kind = _word(source, offset + len(name) + 1)
        value = offset + len(name) + len(kind) + 6
        size = source.number(value - 4, 4, "little")
        source.at(value + size, 1)
        if kind == b"string" and name not in _NEEDED:
            plan.keep(offset, value - offset)
            plan.write(b" " * size)
        else:
            plan.keep(offset, value - offset + size)
        offset = value + size
    plan.keep(offset, 1)
    return offset + 1


def _word(source: Source, offset: int) -> bytes:
    word, end, _ = source.at(offset, min(_LONGEST_NAME + 1, source.size - offset)).partition(b"\x00")
    if not end:
        raise Malformed("a name has no end")
    return word
