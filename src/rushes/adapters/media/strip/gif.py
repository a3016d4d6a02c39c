"""GIF: comments, and application extensions other than loops and colour."""

from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_COMMENT, _APPLICATION = 0xFE, 0xFF
_SHOWN = {b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"}


def plan(source: Source) -> list[Piece]:
    """Raises Malformed."""
    plan = Plan()
    offset = 13 + _palette(source.number(10, 1))
    plan.keep(0, offset)
    while True:
        kind = source.number(offset, 1)
        if kind == _TRAILER:
            plan.keep(offset, 1)
            return plan.pieces
        if kind == _IMAGE:
            end = _blocks_end(source, offset + 11 + _palette(source.number(offset + 9, 1)))
            plan.keep(offset, end - offset)
        elif kind == _EXTENSION:
            end = _blocks_end(source, offset + 2)
            if _is_shown(source, offset):
                plan.keep(offset, end - offset)
        else:
            raise Malformed("an unknown block")
        offset = end


def _palette(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks_end(source: Source, offset: int) -> int:
    while size := source.number(offset, 1):
        offset += 1 + size
    return offset + 1


def _is_shown(source: Source, offset: int) -> bool:
    label = source.number(offset + 1, 1)
    return label != _COMMENT and (label != _APPLICATION or source.at(offset + 3, 11) in _SHOWN)
