"""safetensors, and so ComfyUI's .latent: the strings beside the tensors."""

from rushes.adapters.media.strip.glb import filled, parsed
from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_LARGEST = 32 * 1024 * 1024
_WORDS = "__metadata__"


def plan(source: Source) -> list[Piece]:
    """The header keeps its size, filled up with spaces. Raises Malformed."""
    size = source.number(0, 8, "little")
    if size > _LARGEST:
        raise Malformed("its header is too large")
    header = parsed(source.at(8, size))
    words = header.pop(_WORDS, None)
    if isinstance(words, dict) and "format" in words:
        header[_WORDS] = {"format": words["format"]}
    plan = Plan()
    plan.keep(0, 8)
    plan.write(filled(header, size))
    plan.keep(8 + size, source.size - 8 - size)
    return plan.pieces
