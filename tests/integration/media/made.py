"""Media made by Pillow and PyAV, small enough for a test."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image

from rushes.adapters.media import MediaWorkers
from rushes.ports import ObjectStorage, Preview, Probe

DATA = Path(__file__).parents[2] / "data" / "media"
SECRET = '{"1": {"class_type": "KSampler", "inputs": {"text": "SECRET words äö"}}}'
MONO: dict[str, Any] = {"layout": "mono"}
SOUND = {"vorbis": {"layout": "stereo", "options": {"strict": "experimental"}}}
THUMB, POSTER = "t/thumb.webp", "t/poster.webp"


async def stream(content: bytes, block: int = 10_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), block):
        yield content[start : start + block]


@dataclass
class Shelf:
    store: ObjectStorage
    media: MediaWorkers

    async def probe(self, content: bytes, name: str = "file") -> Probe:
        await self.store.put("t/object", stream(content), content_type="application/octet-stream")
        return await self.media.probe("t/object", filename=name)

    async def preview(self, content: bytes) -> Preview:
        return await self.media.preview(
            "t/object", await self.probe(content), thumb_key=THUMB, poster_key=POSTER
        )

    async def picture(self, key: str) -> Image.Image:
        return opened(b"".join([block async for block in self.store.open(key)]))


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def two_halves(size: tuple[int, int] = (80, 60)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, size[0] // 2, size[1]))
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int) -> Image.Exif:
    """An orientation, and the secret where ComfyUI and others put it."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = f"prompt:{SECRET}"
    tags[0x0110] = f"workflow:{SECRET}"
    return tags


def video(
    container: str,
    codec: str,
    *,
    frames: list[Image.Image] | None = None,
    rate: int = 10,
    sound: str | None = None,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    pixel_ratio: Fraction | None = None,
    target: Any = None,
) -> bytes:
    """Two seconds of two halves, unless frames are given; with a silent sound track if asked for."""
    buffer = target or io.BytesIO()
    with av.open(buffer, "w", format=container, options=options or {}) as output:
        output.metadata.update(metadata or {})
        pictures = frames or [two_halves()] * (2 * rate)
        track: Any = output.add_stream(codec, rate=rate)
        track.width, track.height = pictures[0].size
        track.pix_fmt = "yuv420p"
        if pixel_ratio:
            track.codec_context.sample_aspect_ratio = pixel_ratio
        track.metadata["title"] = (metadata or {}).get("title", "")
        hearing = output.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for picture in pictures:
            output.mux(track.encode(av.VideoFrame.from_image(picture)))
        output.mux(track.encode())
        if hearing:
            _silence(output, hearing, len(pictures) / rate)
    return b"" if target else buffer.getvalue()


def audio(
    container: str, codec: str, *, seconds: float = 0.5, metadata: dict[str, str] | None = None
) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        output.metadata.update(metadata or {})
        _silence(output, output.add_stream(codec, rate=48_000, **SOUND.get(codec, MONO)), seconds)
    return buffer.getvalue()


def _silence(output: Any, track: Any, seconds: float) -> None:
    left, written = int(48_000 * seconds), 0
    layout = track.codec_context.layout
    resampler = av.AudioResampler(format=track.codec_context.format, layout=layout, rate=48_000)
    while left:
        count = min(left, 960)
        frame = av.AudioFrame(format="s16", layout="mono", samples=count)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = 48_000, written
        for resampled in resampler.resample(frame):
            output.mux(track.encode(resampled))
        left -= count
        written += count
    output.mux(track.encode())
