"""SVG: the metadata element in which ComfyUI keeps the prompt."""

from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_LARGEST = 32 * 1024 * 1024
_OPEN, _CLOSE = b"<metadata", b"</metadata>"
_LITERAL, _LITERAL_END = b"<![CDATA[", b"]]>"


def plan(source: Source) -> list[Piece]:
    """Raises Malformed."""
    if source.size > _LARGEST:
        raise Malformed("it is too large")
    text = source.at(0, source.size)
    plan = Plan()
    done = 0
    while (start := text.find(_OPEN, done)) >= 0:
        plan.keep(done, start - done)
        done = _element_end(text, start)
    plan.keep(done, len(text) - done)
    return plan.pieces


def _element_end(text: bytes, start: int) -> int:
    inside = _after(text, b">", start)
    if text[inside - 2 : inside] == b"/>":
        return inside
    while True:
        close = _after(text, _CLOSE, inside)
        literal = text.find(_LITERAL, inside, close)
        if literal < 0:
            return close
        inside = _after(text, _LITERAL_END, literal)  # what looks like an end in there is none


def _after(text: bytes, mark: bytes, start: int) -> int:
    found = text.find(mark, start)
    if found < 0:
        raise Malformed("its metadata has no end")
    return found + len(mark)
