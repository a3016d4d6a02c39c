"""PNG: text chunks, and ComfyUI's own `comf` chunk of animated ones."""

import zlib

from rushes.adapters.media.strip.exif import only_orientation
from rushes.adapters.media.strip.pieces import Malformed, Piece, Plan, Source

_SIGNATURE = 8
_SHOWN = {  # ancillary chunks that say how the picture looks
    *(b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"mDCv", b"cLLi"),
    *(b"bKGD", b"pHYs", b"sBIT", b"hIST", b"sPLT", b"oFFs", b"sTER", b"acTL", b"fcTL", b"fdAT"),
}


def plan(source: Source) -> list[Piece]:
    """Keep the pixels and how they look; drop words, and what follows the end. Raises Malformed."""
    plan = Plan()
    plan.keep(0, _SIGNATURE)
    offset = _SIGNATURE
    while True:
        length, kind = source.number(offset, 4), source.at(offset + 4, 4)
        if offset + 12 + length > source.size:
            raise Malformed("a chunk ends too early")
        if kind == b"eXIf":
            _reduced(plan, source.at(offset + 8, length))
        elif kind in _SHOWN or not kind[0] & 0x20:
            plan.keep(offset, 12 + length)
        if kind == b"IEND":
            return plan.pieces
        offset += 12 + length


def _reduced(plan: Plan, exif: bytes) -> None:
    if kept := only_orientation(exif):
        chunk = b"eXIf" + kept
        plan.write(len(kept).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big"))
