"""The first job: something to see in an empty feed."""

import asyncio
import io
import math
import struct
import wave
from collections.abc import AsyncIterator
from uuid import UUID

from PIL import Image, ImageDraw, ImageFilter

from rushes.bootstrap.installation import Installation
from rushes.domain.principal import Principal
from rushes.ports import JobQuery
from rushes.services.submission import Submit

SIDE = 640
VOICE_SECONDS, VOICE_RATE = 3.0, 22_050


async def submit_samples(at: Installation) -> list[UUID]:
    """A picture and a video, for an installation that has no job yet; public, so that every browser sees them."""
    administrator = await at.accounts.administrator()
    page = await at.reader.page(administrator, JobQuery(limit=1))
    if page.last_id is not None:
        return []
    picture = await _upload(at, administrator, "sunset.png", await asyncio.to_thread(sample_picture))
    voice = await _upload(at, administrator, "voice.wav", await asyncio.to_thread(sample_voice))
    words = "evening light over a quiet sea"
    asked = [
        Submit(
            workflow_type="img2img",
            inputs={"image": picture, "prompt": words, "denoise": 0.35},
            title="Sample picture",
            visibility="public",
            preview=True,  # whatever models a server lacks, the first look at Rushes shows a result
        ),
        Submit(
            workflow_type="lipsync-one",
            inputs={"image": picture, "audio": voice},
            title="Sample video",
            visibility="public",
            preview=True,  # whatever models a server lacks, the first look at Rushes shows a result
        ),
    ]
    return [(await at.submission.submit(administrator, one)).job_id for one in asked]


async def _upload(at: Installation, owner: Principal, filename: str, content: bytes) -> dict[str, str]:
    async def bytes_of() -> AsyncIterator[bytes]:
        yield content

    upload = await at.uploads.create(owner, filename=filename, size_bytes=len(content), declared_type=None)
    await at.uploads.receive(owner, upload.id, bytes_of())
    return {"upload_id": str(upload.id)}


def sample_picture() -> bytes:
    """A sunset, drawn here: PNG, 640 × 640."""
    image = Image.new("RGB", (SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    horizon = SIDE * 5 // 8
    for y in range(SIDE):
        down = y / horizon if y < horizon else 1 - (y - horizon) / (SIDE - horizon)
        draw.line(
            [(0, y), (SIDE, y)], fill=(int(40 + 215 * down**2), int(40 + 110 * down), int(110 - 40 * down))
        )
    draw.ellipse((240, horizon - 110, 400, horizon + 50), fill=(255, 236, 170))
    draw.rectangle((0, horizon, SIDE, SIDE), fill=(38, 44, 84))
    for step in range(14):
        y = horizon + 10 + step * 16
        half = 90 - step * 5 + 12 * (step % 3)
        draw.rounded_rectangle((SIDE // 2 - half, y, SIDE // 2 + half, y + 5), 2, fill=(255, 190, 120))
    buffer = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.2)).save(buffer, "PNG")
    return buffer.getvalue()


def sample_voice() -> bytes:
    """Something like a hummed phrase: WAV, 3 s, mono."""
    frames = bytearray()
    for n in range(int(VOICE_SECONDS * VOICE_RATE)):
        t = n / VOICE_RATE
        pitch = 170 + 30 * math.sin(2 * math.pi * 0.7 * t)
        syllable = max(0.0, math.sin(2 * math.pi * 2.5 * t)) ** 0.5
        tone = sum(math.sin(2 * math.pi * pitch * k * t) / k for k in (1, 2, 3, 4))
        frames += struct.pack("<h", int(7000 * syllable * tone / 2))
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(VOICE_RATE)
        out.writeframes(bytes(frames))
    return buffer.getvalue()
