"""Nothing of the prompt remains, and not a frame changes."""

import hashlib
import io
import json
import logging
import random
import struct

import av
import pytest
from PIL import Image, PngImagePlugin

from rushes.adapters.media.sniff import sniff
from rushes.adapters.media.strip import PLANS
from rushes.adapters.media.strip.passage import stripped
from rushes.domain.errors import StorageFull, Unavailable
from tests.integration.media.made import DATA, SECRET, audio, exif, opened, saved, stream, two_halves, video

pytestmark = pytest.mark.anyio

RECORDED = sorted(DATA.iterdir())
TRACES = (b"SECRET", b"class_type", b"KSampler", b"EmptyImage", b"inputs")
COMMENTS = {"prompt": SECRET, "workflow": SECRET, "comment": SECRET, "title": SECRET}


async def strip(content: bytes, name: str = "file", block: int = 10_000) -> bytes:
    return b"".join([piece async for piece in stripped(stream(content, block), filename=name)])


def traces(content: bytes) -> list[bytes]:
    return [trace for trace in TRACES if trace in content]


def pixels(content: bytes) -> list[tuple[str, object]]:
    """Every frame and how long it stands."""
    frames = []
    with opened(content) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            shown = hashlib.sha256(image.convert("RGBA").tobytes()).hexdigest()
            frames.append((shown, image.info.get("duration")))
    return frames


def packets(content: bytes) -> list[tuple[int, int | None, int | None, bytes]]:
    with av.open(io.BytesIO(content), "r") as container:
        return [(p.stream.index, p.pts, p.dts, bytes(p)) for p in container.demux() if p.size]


def frames(content: bytes) -> list[object]:
    with av.open(io.BytesIO(content), "r") as container:
        return [
            (frame.pts, [bytes(plane) for plane in frame.planes])  # type: ignore[union-attr]
            for frame in container.decode(container.streams[0])
        ]


def substance(content: bytes) -> object:
    """What must be the same before and after, by the kind of file."""
    content_type = sniff(content)
    if content_type.startswith("image/") and content_type != "image/x-exr":
        return pixels(content)
    if content_type.startswith(("video/", "audio/")):
        return packets(content), frames(content)
    if content_type == "application/x-safetensors":
        size = struct.unpack_from("<Q", content)[0]
        return json.loads(content[8 : 8 + size]).keys() - {"__metadata__"}, content[8 + size :]
    return frames(content) if content_type == "image/x-exr" else None


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
async def test_what_comfyui_writes(path):
    before = path.read_bytes()
    assert traces(before), "this recording holds nothing to strip"
    after = await strip(before, path.name)
    assert traces(after) == []
    assert sniff(after) == sniff(before)
    assert substance(after) == substance(before)
    assert await strip(after) == after


@pytest.mark.parametrize(
    ("container", "codec", "sound", "options"),
    [
        ("mov", "libx264", "aac", {}),
        ("mp4", "libx264", "aac", {}),
        ("mp4", "libx264", "aac", {"movflags": "use_metadata_tags"}),
        ("mp4", "libx264", "aac", {"movflags": "frag_keyframe+empty_moov"}),
        ("webm", "libvpx", "libopus", {}),
        ("webm", "libvpx", "libopus", {"live": "1"}),
        ("matroska", "libx264", "flac", {}),
        ("avi", "mpeg4", "libmp3lame", {}),
    ],
)
async def test_videos(container, codec, sound, options):
    before = video(container, codec, sound=sound, metadata=COMMENTS, options=options)
    assert traces(before)
    after = await strip(before)
    assert traces(after) == []
    assert len(after) == len(before)
    assert substance(after) == substance(before)


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("wav", "pcm_s16le"),
        ("flac", "flac"),
        ("mp3", "libmp3lame"),
        ("opus", "libopus"),
        ("ogg", "vorbis"),
        ("ogg", "flac"),
        ("ipod", "aac"),
        ("webm", "libopus"),
    ],
)
async def test_sounds(container, codec):
    before = audio(container, codec, metadata=COMMENTS | {"artist": SECRET})
    assert traces(before)
    after = await strip(before)
    assert traces(after) == []
    assert substance(after) == substance(before)


async def test_comments_over_many_ogg_pages():
    before = audio("opus", "libopus", metadata={"prompt": SECRET * 3000})
    assert len(before) > 150_000
    after = await strip(before)
    assert traces(after) == []
    assert substance(after) == substance(before)


def test_ogg_pages_carry_right_checksums():
    from rushes.adapters.media.strip.ogg import _sealed  # the pages of a real file seal to what they are

    content = audio("opus", "libopus")
    offset = 0
    while offset < len(content):
        count = content[offset + 26]
        end = offset + 27 + count + sum(content[offset + 27 : offset + 27 + count])
        assert _sealed(bytearray(content[offset:end])) == content[offset:end]
        offset = end


async def test_png_keeps_how_it_looks():
    words = PngImagePlugin.PngInfo()
    for name in ("prompt", "parameters", "whatever"):
        words.add_text(name, SECRET)
        words.add_text(name, SECRET, zip=True)
        words.add_itxt(name, SECRET, zip=True)
    words.add(b"prVt", SECRET.encode())
    image = two_halves().convert("P")
    before = saved(
        image, "PNG", pnginfo=words, dpi=(72, 72), transparency=3, icc_profile=b"profile", exif=exif(6)
    )
    after = await strip(before + SECRET.encode())
    with opened(after) as shown:
        shown.load()
        assert set(shown.info) == {"dpi", "transparency", "icc_profile", "exif"}
        assert dict(shown.getexif()) == {0x0112: 6}
    assert traces(after) == []
    assert pixels(after) == pixels(before)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 6])
async def test_orientation_is_all_that_stays_of_exif(kind, orientation):
    options = {"comment": SECRET.encode()} if kind == "JPEG" else {}
    before = saved(
        two_halves(),
        kind,
        exif=exif(orientation),
        xmp=f"<x>{SECRET}</x>".encode(),
        icc_profile=b"p" * 99,
        **options,
    )
    assert traces(before)
    after = await strip(before)
    assert traces(after) == []
    assert pixels(after) == pixels(before)
    with opened(after) as shown:
        assert shown.info["icc_profile"] == b"p" * 99
        assert "comment" not in shown.info
        assert dict(shown.getexif()) == ({0x0112: 6} if orientation == 6 else {})


@pytest.mark.parametrize("mode", ["CMYK", "L"])
async def test_jpegs_of_other_colours(mode):
    before = saved(two_halves().convert(mode), "JPEG", progressive=True, comment=SECRET)
    after = await strip(before)
    assert (traces(after), pixels(after)) == ([], pixels(before))


async def test_gif_keeps_its_loop():
    other = Image.new("RGB", (80, 60), (0, 255, 0))
    before = saved(
        two_halves(), "GIF", save_all=True, append_images=[other], loop=3, duration=70, comment=SECRET
    )
    assert traces(before)
    after = await strip(before)
    assert (traces(after), pixels(after)) == ([], pixels(before))
    with opened(after) as shown:
        assert shown.info["loop"] == 3


async def test_svg():
    drawing = b"<circle r='3'/>"
    for words in (
        f"<metadata><![CDATA[{SECRET}</metadata>{SECRET}]]></metadata>",
        f"<metadata id='x'>{SECRET}</metadata >".replace(" >", ">"),
        "<metadata/>",
    ):
        before = b"<svg xmlns='http://www.w3.org/2000/svg'>" + words.encode() + drawing + b"</svg>"
        assert await strip(before) == b"<svg xmlns='http://www.w3.org/2000/svg'>" + drawing + b"</svg>"


async def test_glb():
    document = {"asset": {"version": "2.0", "extras": {"prompt": SECRET}}, "meshes": [{"extras": {"a": 1}}]}
    text = json.dumps(document).encode().ljust(400)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", 8, 0x004E4942) + b"geometry"
    before = b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body
    after = await strip(before)
    assert traces(after) == []
    assert (len(after), after[-8:]) == (len(before), b"geometry")
    assert json.loads(after[20:420]) == {"asset": {"version": "2.0"}, "meshes": [{"extras": {"a": 1}}]}


@pytest.mark.parametrize("content", [b"", b"words " * 100, b"%PDF-1.7 " + SECRET.encode(), bytes(200_000)])
async def test_what_is_not_known_passes(content):
    assert await strip(content) == content


async def test_a_large_unknown_file_isn_t_held_back():
    taken = 0

    async def endless():
        nonlocal taken
        while True:
            taken += 1
            yield b"\x00" * 65_536

    async for _ in stripped(endless(), filename="x"):
        if taken == 2:
            break
    assert taken == 2


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
async def test_broken_files_are_never_lost(path, caplog):
    chance = random.Random(path.name)
    content = path.read_bytes()
    caplog.set_level(logging.ERROR)
    for _ in range(60):
        broken = bytearray(content[: chance.randrange(20, len(content))])
        for _ in range(chance.randrange(4)):
            broken[chance.randrange(8, len(broken))] = chance.randrange(256)
        after = await strip(bytes(broken))
        assert after
        if sniff(bytes(broken)) not in PLANS:
            assert after == broken


@pytest.mark.parametrize(
    "name", ["comfyui-0.33-image.png", "comfyui-0.33-h264.mp4", "comfyui-0.33-animated.webp"]
)
async def test_a_cut_file_passes_unchanged_and_says_so(name, caplog):
    content = (DATA / name).read_bytes()[:-30]
    assert await strip(content, name) == content
    assert f"{name} keeps its metadata" in caplog.text


async def test_a_broken_stream_is_the_caller_s_to_see():
    async def breaking():
        yield saved(two_halves(), "PNG")
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        _ = [block async for block in stripped(breaking(), filename="x")]


async def test_large_files_go_by_way_of_the_disk(tmp_path):
    noise = random.Random(1).randbytes(12_000_000)
    image = Image.frombytes("RGB", (2000, 2000), noise)
    words = PngImagePlugin.PngInfo()
    words.add_text("prompt", SECRET)
    before = saved(image, "PNG", pnginfo=words, compress_level=0)
    after = b"".join(
        [block async for block in stripped(stream(before, 65_536), filename="x", temp_dir=tmp_path)]
    )
    assert traces(after) == []
    assert len(before) - len(after) == len(SECRET.encode()) + 12 + len("prompt") + 1 or len(after) < len(
        before
    )
    assert opened(after).tobytes() == noise
    assert list(tmp_path.iterdir()) == []


async def test_no_place_for_temporary_files(tmp_path):
    before = saved(Image.frombytes("RGB", (2000, 2000), bytes(12_000_000)), "PNG", compress_level=0)
    with pytest.raises((StorageFull, Unavailable)):
        _ = [b async for b in stripped(stream(before), filename="x", temp_dir=tmp_path / "missing")]
