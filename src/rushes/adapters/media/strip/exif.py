"""Of all EXIF only the orientation is worth keeping: without it a picture lies on its side."""

from typing import Literal

_PREFIX = b"Exif\x00\x00"
_ORIENTATION = 0x0112


def only_orientation(exif: bytes) -> bytes | None:
    """A TIFF block that holds the orientation and nothing else; None where nothing needs turning."""
    orientation = _orientation(exif.removeprefix(_PREFIX))
    if not 2 <= orientation <= 8:
        return None
    entry = _ORIENTATION.to_bytes(2, "big") + b"\x00\x03\x00\x00\x00\x01" + bytes([0, orientation, 0, 0])
    return b"MM\x00*\x00\x00\x00\x08\x00\x01" + entry + bytes(4)


def _orientation(tiff: bytes) -> int:
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    directory = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[directory : directory + 2], order)
    for start in range(directory + 2, min(directory + 2 + 12 * count, len(tiff) - 11), 12):
        if int.from_bytes(tiff[start : start + 2], order) == _ORIENTATION:
            return int.from_bytes(tiff[start + 8 : start + 10], order)
    return 1
