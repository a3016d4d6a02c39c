"""What real files are found to be, by real workers."""

import io
import struct
import zlib
from fractions import Fraction

import pytest
from PIL import Image

from rushes.domain.errors import NotFound
from tests.integration.media.made import DATA, audio, exif, saved, two_halves, video

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
async def test_pictures(shelf, kind):
    probe = await shelf.probe(saved(two_halves((80, 60)), kind))
    assert (probe.kind, probe.width, probe.height, probe.problem) == ("image", 80, 60, None)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
@pytest.mark.parametrize(
    ("orientation", "size"), [(1, (80, 60)), (3, (80, 60)), (6, (60, 80)), (8, (60, 80))]
)
async def test_orientation(shelf, kind, orientation, size):
    probe = await shelf.probe(saved(two_halves((80, 60)), kind, exif=exif(orientation)))
    assert (probe.width, probe.height) == size


@pytest.mark.parametrize(
    ("container", "codec", "sound", "content_type"),
    [
        ("mp4", "libx264", "aac", "video/mp4"),
        ("mov", "libx264", None, "video/quicktime"),
        ("webm", "libvpx-vp9", "libopus", "video/webm"),
        ("matroska", "libx264", "flac", "video/x-matroska"),
        ("avi", "mpeg4", None, "video/x-msvideo"),
    ],
)
async def test_videos(shelf, container, codec, sound, content_type):
    probe = await shelf.probe(video(container, codec, sound=sound))
    assert (probe.content_type, probe.kind, probe.problem) == (content_type, "video", None)
    assert (probe.width, probe.height, probe.fps) == (80, 60, 10.0)
    assert probe.duration_seconds == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(
    ("container", "codec", "content_type"),
    [
        ("wav", "pcm_s16le", "audio/wav"),
        ("flac", "flac", "audio/flac"),
        ("mp3", "libmp3lame", "audio/mpeg"),
        ("opus", "libopus", "audio/ogg"),
        ("ipod", "aac", "audio/mp4"),
        ("adts", "aac", "audio/aac"),
        ("mp4", "aac", "audio/mp4"),
        ("webm", "libopus", "audio/webm"),
    ],
)
async def test_sounds(shelf, container, codec, content_type):
    probe = await shelf.probe(audio(container, codec, seconds=1.5))
    assert (probe.content_type, probe.kind, probe.problem) == (content_type, "audio", None)
    assert probe.duration_seconds == pytest.approx(1.5, abs=0.08)
    assert probe.width is probe.fps is None


class NoSeek(io.RawIOBase):
    """What a live stream is written to."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, block) -> int:
        self.content += bytes(block)
        return len(block)


async def test_a_live_recording_has_a_length_all_the_same(shelf):
    recorder = NoSeek()
    video("webm", "libvpx", options={"live": "1"}, target=recorder)
    probe = await shelf.probe(recorder.content)
    assert probe.duration_seconds == pytest.approx(2.0, abs=0.15)


def turned_clockwise(content: bytes) -> bytes:
    """A QuarterTime turn as telephones write it: the track header's matrix maps right to down."""
    upright = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    turned = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    start = content.index(upright, content.index(b"tkhd"))
    return content[:start] + turned + content[start + len(upright) :]


async def test_a_turned_video(shelf):
    content = turned_clockwise(video("mp4", "libx264"))
    probe = await shelf.probe(content)
    assert (probe.width, probe.height) == (60, 80)
    await shelf.preview(content)
    poster = (await shelf.picture("t/poster.webp")).convert("RGB")
    assert poster.size == (60, 80)
    top, bottom = poster.getpixel((30, 10)), poster.getpixel((30, 70))
    assert top[0] > 200 > bottom[0]  # what was left is on top
    assert bottom[2] > 200 > top[2]


async def test_pixels_that_are_not_square(shelf):
    content = video("mp4", "libx264", pixel_ratio=Fraction(2, 1))
    probe = await shelf.probe(content)
    assert (probe.width, probe.height) == (160, 60)


@pytest.mark.parametrize("path", sorted(DATA.iterdir()), ids=lambda path: path.name)
async def test_what_comfyui_writes(shelf, path):
    probe = await shelf.probe(path.read_bytes(), path.name)
    if path.suffix == ".exr":
        assert "aren't supported" in probe.problem
    else:
        assert probe.problem is None
    if path.suffix in (".mp4", ".webm", ".mkv"):
        assert (probe.kind, probe.width, probe.height, probe.fps) == ("video", 64, 48, 8.0)


async def test_tags_in_another_encoding(shelf):
    for content in (
        video("mp4", "libx264", metadata={"comment": "xcafex"}),
        video("webm", "libvpx", metadata={"comment": "xcafex"}),
        audio("flac", "flac", metadata={"comment": "xcafex"}),
    ):
        assert b"xcafex" in content
        probe = await shelf.probe(content.replace(b"xcafex", b"caf\xe9 \xff"))
        assert probe.problem is None
        assert probe.duration_seconds


async def test_an_unknown_codec(shelf):
    probe = await shelf.probe(video("mp4", "libx264").replace(b"avc1", b"xyz1"))
    assert (probe.kind, "codec" in probe.problem) == ("video", True)


async def test_an_empty_file(shelf):
    assert (await shelf.probe(b"", "a.png")).problem == "The file is empty."


async def test_a_missing_object(shelf):
    with pytest.raises(NotFound):
        await shelf.media.probe("t/nothing")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
async def test_a_cut_picture(shelf, share):
    content = saved(Image.effect_noise((200, 200), 80), "PNG")
    probe = await shelf.probe(content[: int(len(content) * share)])
    assert (probe.content_type, probe.kind) == ("image/png", "image")
    assert "damaged" in probe.problem


async def test_words_behind_a_magic_number(shelf):
    for head in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\xff\0\0\0WEBP", b"\0\0\0\x18ftypisom",
                 b"\x1aE\xdf\xa3", b"OggS", b"fLaC", b"ID3", b"RIFF\xff\0\0\0WAVE"):  # fmt: skip
        probe = await shelf.probe(head + b"no such thing" * 30)
        assert "damaged" in probe.problem, head


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge, in one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


async def test_decompression_bombs(shelf):
    for width, height in ((60_000, 60_000), (2_000_000_000, 2), (20_000, 15_000)):
        probe = await shelf.probe(bomb(width, height))
        assert "megapixels" in probe.problem
    assert (await shelf.probe(saved(two_halves(), "PNG"))).problem is None
