"""Files to submit, made on the spot."""

import io
import struct
import wave
from functools import cache

import av
from PIL import Image


@cache
def picture(width: int = 96, height: int = 64, *, kind: str = "PNG") -> bytes:
    """A gradient."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


@cache
def sound(seconds: float = 0.5, *, rate: int = 16_000) -> bytes:
    """A WAV with a saw-tooth."""
    count = int(seconds * rate)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{count}h", *((n * 200) % 16_000 - 8_000 for n in range(count))))
    return buffer.getvalue()


@cache
def clip(seconds: float, *, fps: int = 25, width: int = 160, height: int = 128) -> bytes:
    """A silent MP4 that gets brighter."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        count = round(seconds * fps)
        for number in range(count):
            shade = 20 + 200 * number // count
            image = Image.new("RGB", (width, height), (shade, shade, shade))
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))
    return buffer.getvalue()
