"""Binary glTF: the extras in which ComfyUI keeps the prompt."""

import json

from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_HEAD = 20  # file head and the first chunk's
_LARGEST = 32 * 1024 * 1024


def plan(source: Source) -> list[Piece]:
    """The first chunk keeps its size, filled up with spaces. Raises Malformed."""
    size = source.number(12, 4, "little")
    if source.at(16, 4) != b"JSON" or size > _LARGEST:
        raise Malformed("its description is missing or too large")
    document = parsed(source.at(_HEAD, size))
    asset = document.get("asset")
    if isinstance(asset, dict):
        asset.pop("extras", None)
    document.pop("extras", None)
    plan = Plan()
    plan.keep(0, _HEAD)
    plan.write(filled(document, size))
    plan.keep(_HEAD + size, source.size - _HEAD - size)
    return plan.pieces


def parsed(text: bytes) -> dict[str, object]:
    """A JSON object. Raises Malformed."""
    try:
        document = json.loads(text.rstrip(b" \x00"))
    except (ValueError, RecursionError) as error:
        raise Malformed("its description is no JSON") from error
    if not isinstance(document, dict):
        raise Malformed("its description is no object")
    return document


def filled(document: dict[str, object], size: int) -> bytes:
    """JSON of exactly that size. Raises Malformed when it doesn't fit."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    if len(text) > size:
        raise Malformed("its description would grow")
    return text.ljust(size)
