"""The two questions a worker answers about one local file."""

import base64
from pathlib import Path
from typing import Any

from rushes.adapters.media.pictures import (
    THUMB_SIDE,
    picture_size,
    picture_thumbnail,
    placeholder,
    shrunk,
    webp,
)
from rushes.adapters.media.timelines import measure, poster

Answer = dict[str, Any]


def probe(path: Path, content_type: str) -> Answer:
    """Size, length and rate, as fields of a Probe. Raises Unreadable."""
    if content_type.startswith("image/"):
        width, height = picture_size(path, content_type)
        return {"width": width, "height": height}
    timeline = measure(path, content_type)
    answer: Answer = {"duration_seconds": round(timeline.duration_seconds, 3)}
    if timeline.width:
        return answer | {"width": timeline.width, "height": timeline.height, "fps": timeline.fps}
    sound = content_type.replace("video/", "audio/").replace("quicktime", "mp4")
    return answer | {"content_type": sound, "kind": "audio"}


def preview(path: Path, content_type: str) -> Answer:
    """Thumbnail and poster as WEBP in base64, and the thumbhash. Raises Unreadable."""
    if content_type.startswith("image/"):
        thumbnail = picture_thumbnail(path, content_type)
        return {"thumb": _text(webp(thumbnail)), "thumbhash": placeholder(thumbnail)}
    picture = poster(path, content_type)
    thumbnail = shrunk(picture, THUMB_SIDE)
    return {
        "thumb": _text(webp(thumbnail)),
        "poster": _text(webp(picture)),
        "thumbhash": placeholder(thumbnail),
    }


def _text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()
