"""Pictures by Pillow: their size, a thumbnail, a placeholder. Runs in worker processes only."""

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from rushes.adapters.media.problem import Unreadable
from rushes.adapters.media.thumbhash import encode

MAX_PIXELS = 200_000_000  # 600 MB decoded
THUMB_SIDE = 512
_HASH_SIDE = 64
_ORIENTATION = 0x0112
_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/avif": "AVIF",
}


def picture_size(path: Path, content_type: str) -> tuple[int, int]:
    """Width and height as shown, after decoding the first frame. Raises Unreadable."""
    with _opened(path, content_type) as image:
        width, height = image.size
        turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
        image.draft(None, (THUMB_SIDE, THUMB_SIDE))
        image.load()
    return (height, width) if turned else (width, height)


def picture_thumbnail(path: Path, content_type: str) -> Image.Image:
    """The first frame as sRGB, upright, at most 512 px. Raises Unreadable."""
    with _opened(path, content_type) as image:
        image.draft(None, (THUMB_SIDE * 2, THUMB_SIDE * 2))
        return _plain_thumbnail(image)


def shrunk(image: Image.Image, side: int) -> Image.Image:
    """A copy that fits into a square; never enlarged."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def webp(image: Image.Image, *, quality: int = 80) -> bytes:
    """The picture as WEBP, without any metadata."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def placeholder(image: Image.Image) -> str:
    """The thumbhash in base64."""
    small = shrunk(image, _HASH_SIDE).convert("RGBA")
    return base64.b64encode(encode(small.width, small.height, small.tobytes())).decode()


@contextmanager
def _opened(path: Path, content_type: str) -> Iterator[Image.Image]:
    expected = _FORMATS.get(content_type)
    if expected is None:
        raise Unreadable(f"Previews of {content_type} aren't supported; the file itself is stored.")
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings(), Image.open(path, formats=[expected]) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if image.width * image.height > MAX_PIXELS:
                raise Unreadable(_too_many(f"{image.width} × {image.height}"))
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable(_too_many("Too many pixels")) from error
    except MemoryError as error:
        raise Unreadable("The picture needs more memory than a preview may use.") from error
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        TypeError,
        IndexError,
        KeyError,
        OverflowError,
    ) as error:
        raise Unreadable(f"The picture is damaged or not a {expected} file: {error}") from error


def _too_many(what: str) -> str:
    return f"{what}: pictures of more than {MAX_PIXELS // 1_000_000} megapixels are not opened."


def _plain_thumbnail(image: Image.Image) -> Image.Image:
    """8 bits a channel, sRGB, upright, with alpha where there is any."""
    orientation = image.getexif().get(_ORIENTATION)
    profile = image.info.get("icc_profile")
    small = shrunk(_scalable(image), THUMB_SIDE)
    small = _in_srgb(small, profile) if profile else small
    small = small.convert("RGBA" if "A" in small.getbands() else "RGB")
    small.info = {}
    if orientation:
        small.getexif()[_ORIENTATION] = orientation
    return ImageOps.exif_transpose(small)


def _scalable(image: Image.Image) -> Image.Image:
    """In a mode whose values may be averaged: no palette, 8 bits."""
    image.load()
    if image.mode.startswith(("I", "F")):
        return _eight_bit(image)
    if "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode in ("P", "1") else image


def _eight_bit(image: Image.Image) -> Image.Image:
    floats = image.convert("F")
    brightest = float(floats.getextrema()[1])  # type: ignore[arg-type]  # one band: a pair of numbers
    top = 1.0 if image.mode == "F" and brightest <= 1 else 65535.0
    return floats.point(lambda value: value * (255 / top) + 0).convert("L")


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    if image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    mode = image.mode if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return (
            ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode) or image
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
