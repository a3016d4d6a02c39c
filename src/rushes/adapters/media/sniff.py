"""What a file is, by its bytes. A name only refines what the bytes leave open."""

import codecs
import json
import re
from collections.abc import Callable
from pathlib import PurePosixPath

HEAD_BYTES = 64 * 1024  # what `sniff` wants to see of a file
UNKNOWN = "application/octet-stream"

_MAGIC = [
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"v/1\x01", "image/x-exr"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"glTF", "model/gltf-binary"),
    (b"ply\n", "model/ply"),
    (b"ply\r\n", "model/ply"),
    (b"Kaydara FBX Binary", "model/fbx"),
]
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"F4A "}
_IMAGE_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
}
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_TEXT_NAMES = {".obj": "model/obj", ".gltf": "model/gltf+json", ".csv": "text/csv", ".md": "text/markdown"}
_SVG = re.compile(rb"<svg[\s>]", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|iframe)\b", re.IGNORECASE)
_PROLOGUE = re.compile(
    rb"\s*(?:<\?xml.*?\?>\s*|<!--.*?-->\s*|<!doctype\s+svg.*?>\s*)*", re.DOTALL | re.IGNORECASE
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def sniff(head: bytes, *, filename: str = "") -> str:
    """The content type that a file's first bytes say."""
    suffix = PurePosixPath(filename).suffix.lower()
    return _by_magic(head) or _by_text(head, suffix) or _by_name(head, suffix) or UNKNOWN


def kind_of(content_type: str) -> str:
    """image, video, audio, text, model3d or file. What a browser could execute is a file."""
    if content_type in ("image/svg+xml", "text/html"):
        return "file"
    family = content_type.partition("/")[0]
    if family in ("image", "video", "audio", "text"):
        return family
    if content_type == "application/json":
        return "text"
    return "model3d" if family == "model" else "file"


def _by_magic(head: bytes) -> str | None:
    for magic, content_type in _MAGIC:
        if head.startswith(magic):
            return content_type
    looks: tuple[Callable[[bytes], str | None], ...] = (
        _riff,
        _boxes,
        _matroska,
        _ogg,
        _mpeg_audio,
        _bmp,
        _tensors,
    )
    return next((found for look in looks if (found := look(head))), None)


def _riff(head: bytes) -> str | None:
    return _RIFF.get(head[8:12]) if head[:4] in (b"RIFF", b"RF64") else None


def _boxes(head: bytes) -> str | None:
    """ISO base media: MP4, QuickTime, M4A, AVIF, HEIC."""
    kind, brand = head[4:8], head[8:12]
    if kind in _OLD_QUICKTIME and head[0] == 0:  # a size: no text begins like that
        return "video/quicktime"
    if kind != b"ftyp":
        return None
    if brand in _AUDIO_BRANDS:
        return "audio/mp4"
    if brand in _IMAGE_BRANDS:
        brands = head[8 : int.from_bytes(head[:4], "big")]
        return "image/avif" if b"avif" in brands else _IMAGE_BRANDS[brand]
    return "video/quicktime" if brand == b"qt  " else "video/mp4"


def _matroska(head: bytes) -> str | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return "video/webm" if b"webm" in head[:64] else "video/x-matroska"


def _ogg(head: bytes) -> str | None:
    if not head.startswith(b"OggS"):
        return None
    return "video/ogg" if b"\x80theora" in head[:512] else "audio/ogg"


def _mpeg_audio(head: bytes) -> str | None:
    """A bare MPEG or ADTS frame header: eleven sync bits, and no reserved value after them."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:
        return "audio/aac" if head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13 else None
    reserved = version == 1 or head[2] >> 4 == 15 or head[2] >> 2 & 3 == 3
    return None if reserved else "audio/mpeg"


def _bmp(head: bytes) -> str | None:
    plausible = head[:2] == b"BM" and head[6:10] == bytes(4) and len(head) >= 26
    return "image/bmp" if plausible else None


def _tensors(head: bytes) -> str | None:
    """safetensors, also ComfyUI's .latent: the length of a JSON header, then the header."""
    size = int.from_bytes(head[:8], "little")
    return "application/x-safetensors" if 2 <= size < 2**27 and head[8:10] in (b'{"', b"{}") else None


def _by_text(head: bytes, suffix: str) -> str | None:
    if not head or _CONTROL.search(head) or not _is_utf8(head):
        return None
    body = head.removeprefix(codecs.BOM_UTF8)
    start = body[_PROLOGUE.match(body).end() :][:1024]  # type: ignore[union-attr]  # it matches the empty text
    if _SVG.match(start):
        return "image/svg+xml"
    if _HTML.match(start):
        return "text/html"
    if suffix in _TEXT_NAMES:
        return _TEXT_NAMES[suffix]
    return (
        "application/json"
        if _is_json(body, whole=len(head) < HEAD_BYTES, named=suffix == ".json")
        else "text/plain"
    )


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return False
    return True


def _is_json(body: bytes, *, whole: bool, named: bool) -> bool:
    if not body.lstrip().startswith((b"{", b"[")):
        return False
    if not whole:
        return named
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _by_name(head: bytes, suffix: str) -> str | None:
    """Binary STL has no magic number, but a fixed head."""
    return "model/stl" if suffix == ".stl" and len(head) >= 84 else None
