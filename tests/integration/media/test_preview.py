"""Thumbnails, posters and placeholders of real files."""

import base64
from typing import Any

import pytest
from PIL import Image, ImageCms

from rushes.ports import Preview
from tests.integration.media.made import DATA, POSTER, THUMB, audio, exif, saved, two_halves, video

pytestmark = pytest.mark.anyio


def halves(image: Image.Image) -> list[str]:
    """Which colour leads on the left and on the right."""
    places = (image.width // 8, image.width * 7 // 8)
    return [leading(image.convert("RGB").getpixel((x, image.height // 2))) for x in places]


def leading(pixel: Any) -> str:
    return "RGB"[max(range(3), key=lambda band: pixel[band])]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
async def test_a_thumbnail_of_a_picture(shelf, kind):
    preview = await shelf.preview(saved(two_halves((1200, 600)), kind))
    assert (preview.thumb_key, preview.poster_key) == (THUMB, None)
    assert len(base64.b64decode(preview.thumbhash)) >= 5
    thumb = await shelf.picture(THUMB)
    assert (thumb.format, thumb.size, halves(thumb)) == ("WEBP", (512, 256), ["R", "B"])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "I", "F", "CMYK", "YCbCr", "LAB"])
async def test_every_kind_of_pixel(shelf, mode):
    grey = Image.linear_gradient("L")
    if mode in ("I;16", "I"):
        source = grey.convert("I").point(lambda value: value * 257).convert(mode)
    elif mode == "F":
        source = grey.convert("F").point(lambda value: value * (1 / 255) + 0)
    elif mode == "LAB":
        to_lab = ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        )
        source = ImageCms.applyTransform(grey.convert("RGB"), to_lab) or grey
    else:
        source = grey.convert("RGB").convert(mode) if mode != "1" else grey.convert("1")
    kind = "PNG" if mode in ("1", "L", "LA", "P", "RGBA", "I;16") else "TIFF"
    preview = await shelf.preview(saved(source, kind))
    thumb = (await shelf.picture(preview.thumb_key)).convert("L")
    average = [sum(thumb.crop((0, y, 256, y + 16)).tobytes()) / 4096 for y in (0, 120, 240)]
    assert average[0] < 40 < average[1] < 200 < average[2]


async def test_transparency_stays(shelf):
    image = two_halves((100, 50)).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((100, 50)))
    await shelf.preview(saved(image, "PNG"))
    low, high = (await shelf.picture(THUMB)).getchannel("A").getextrema()
    assert low < 10
    assert high > 245


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
async def test_a_thumbnail_is_upright(shelf, kind):
    await shelf.preview(saved(two_halves((80, 60)), kind, exif=exif(3)))
    thumb = await shelf.picture(THUMB)
    assert halves(thumb) == ["B", "R"]
    assert "exif" not in thumb.info


async def test_the_first_frame_of_an_animation(shelf):
    blue = Image.new("RGB", (80, 60), (0, 0, 255))
    for kind in ("GIF", "WEBP", "PNG"):
        await shelf.preview(saved(two_halves(), kind, save_all=True, append_images=[blue], duration=100))
        assert halves(await shelf.picture(THUMB)) == ["R", "B"]


async def test_wide_colours_are_mapped(shelf):
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = swapped.index(b"rXYZ"), swapped.index(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    await shelf.preview(saved(Image.new("RGB", (50, 50), (255, 0, 0)), "PNG", icc_profile=bytes(swapped)))
    assert halves(await shelf.picture(THUMB)) == ["G", "G"]


async def test_a_broken_profile_is_ignored(shelf):
    preview = await shelf.preview(saved(two_halves(), "PNG", icc_profile=b"no profile at all"))
    assert preview.thumb_key


async def test_a_strip_of_pixels(shelf):
    await shelf.preview(saved(Image.new("RGB", (9000, 1)), "PNG"))
    assert (await shelf.picture(THUMB)).size == (512, 1)


async def test_the_poster_of_a_video(shelf):
    preview = await shelf.preview(video("mp4", "libx264", frames=[two_halves((1920, 960))] * 3, sound="aac"))
    assert (preview.thumb_key, preview.poster_key) == (THUMB, POSTER)
    poster, thumb = await shelf.picture(POSTER), await shelf.picture(THUMB)
    assert (poster.size, thumb.size) == ((1280, 640), (512, 256))
    assert halves(poster) == halves(thumb) == ["R", "B"]


async def test_a_poster_is_not_black_when_the_video_fades_in(shelf):
    black = [Image.new("RGB", (80, 60))] * 4
    await shelf.preview(video("mp4", "libx264", frames=black + [two_halves()] * 36))
    assert halves(await shelf.picture(POSTER)) == ["R", "B"]


async def test_a_poster_of_nothing_but_black(shelf):
    preview = await shelf.preview(video("webm", "libvpx", frames=[Image.new("RGB", (80, 60))] * 10))
    assert preview.poster_key


async def test_what_has_no_picture(shelf):
    assert await shelf.preview(audio("mp3", "libmp3lame")) == Preview()
    assert await shelf.preview(b"words") == Preview()
    assert await shelf.preview(b"\x89PNG\r\n\x1a\nbroken") == Preview()
    assert await shelf.preview((DATA / "comfyui-0.33-image.exr").read_bytes()) == Preview()
