"""Files to submit, made on the spot, and what came back, probed."""

import io
import math
import wave
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from PIL import Image


def picture(width: int, height: int, *, mode: str = "RGB") -> bytes:
    """A PNG with a gradient, so that every change shows."""
    rows = np.linspace(0, 255, height).astype(np.uint8)[:, None].repeat(width, axis=1)
    columns = np.linspace(0, 255, width).astype(np.uint8)[None, :].repeat(height, axis=0)
    image = Image.fromarray(np.stack([rows, columns, 255 - rows], axis=2)).convert(mode)
    return _saved(image)


def mask(width: int, height: int, left: float, right: float) -> bytes:
    """White between two fractions of the width, black elsewhere."""
    image = Image.new("L", (width, height))
    image.paste(255, (int(width * left), 0, int(width * right), height))
    return _saved(image)


def _saved(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def sound(seconds: float, *, rate: int = 44_100, channels: int = 1, tone: float = 440.0) -> bytes:
    """A WAV with one tone."""
    count = int(seconds * rate)
    samples = (np.sin(np.arange(count) * 2 * math.pi * tone / rate) * 12_000).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.repeat(channels).tobytes())
    return buffer.getvalue()


def film(seconds: float, *, fps: int = 25, width: int = 160, height: int = 120) -> bytes:
    """A silent MP4 whose brightness rises from the first frame to the last."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        count = round(seconds * fps)
        for index in range(count):
            level = int(20 + 200 * index / max(1, count - 1))
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


@dataclass(frozen=True)
class Probe:
    """What a video really is."""

    container: str
    video_codec: str
    audio_codec: str | None
    width: int
    height: int
    fps: Fraction
    frames: list[np.ndarray]
    video_seconds: float
    audio_seconds: float

    def brightness(self, index: int, *, left: float = 0, right: float = 1) -> float:
        """Mean of a frame between two fractions of its width."""
        frame = self.frames[index]
        return float(frame[:, int(left * self.width) : int(right * self.width)].mean())


def probe(content: bytes) -> Probe:
    """Decode all of a video."""
    with av.open(io.BytesIO(content), "r") as container:
        video = container.streams.video[0]
        sounds = container.streams.audio
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video)]
        rate = video.average_rate or Fraction(0)
        audio_seconds = 0.0
        if sounds:
            container.seek(0)
            audio_seconds = sum((one.samples / one.sample_rate for one in container.decode(sounds[0])), 0.0)
        return Probe(
            container.format.name,
            video.codec_context.name,
            sounds[0].codec_context.name if sounds else None,
            video.codec_context.width,
            video.codec_context.height,
            rate,
            frames,
            float(len(frames) / rate) if rate else 0.0,
            audio_seconds,
        )
