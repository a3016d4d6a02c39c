"""Nodes that change a picture's colours, and lay pictures over each other."""

import random
from collections.abc import Callable

from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageStat

from rushes.testing.comfyui.media import Images, Masks, each, pairs, resized, same_mode
from rushes.testing.comfyui.nodes.registry import NodeRun, Result, node


@node("ImageInvert")
def image_invert(_: NodeRun, image: Images) -> Result:
    return (each(image, ImageChops.invert),)


@node("ImageBlur")
def image_blur(_: NodeRun, image: Images, blur_radius: int, sigma: float) -> Result:
    return (each(image, lambda frame: frame.filter(ImageFilter.GaussianBlur(min(sigma, blur_radius)))),)


@node("ImageSharpen")
def image_sharpen(_: NodeRun, image: Images, sharpen_radius: int, sigma: float, alpha: float) -> Result:
    mask = ImageFilter.UnsharpMask(radius=min(sigma, sharpen_radius), percent=int(alpha * 1000), threshold=0)
    return (each(image, lambda frame: frame.filter(mask)),)


@node("ImageQuantize")
def image_quantize(_: NodeRun, image: Images, colors: int, dither: str) -> Result:
    way = Image.Dither.NONE if dither == "none" else Image.Dither.FLOYDSTEINBERG

    def quantized(frame: Image.Image) -> Image.Image:
        frame = frame.convert("RGB")
        palette = frame.quantize(colors=colors)
        return frame.quantize(colors=colors, palette=palette, dither=way).convert("RGB")

    return (each(image, quantized),)


_BLENDS: dict[str, Callable[[Image.Image, Image.Image], Image.Image]] = {
    "normal": lambda _, other: other,
    "multiply": ImageChops.multiply,
    "screen": ImageChops.screen,
    "overlay": ImageChops.overlay,
    "soft_light": ImageChops.soft_light,
    "difference": ImageChops.subtract,
}


@node("ImageBlend")
def image_blend(_: NodeRun, image1: Images, image2: Images, blend_factor: float, blend_mode: str) -> Result:
    def blend(one: Image.Image, other: Image.Image) -> Image.Image:
        one, other = same_mode(one, other)
        if one.size != other.size:
            other = resized(other, *one.size, "bicubic", "center")
        return Image.blend(one, _BLENDS[blend_mode](one, other), blend_factor)

    return (pairs(image1, image2, blend),)


@node("ImageAddNoise")
def image_add_noise(_: NodeRun, image: Images, seed: int, strength: float) -> Result:
    chance = random.Random(seed)  # noqa: S311 - a picture's noise, repeatable by its seed

    def noisy(frame: Image.Image) -> Image.Image:
        # Even noise, 3.46 times as wide as the real one's normal noise is strong: the same deviation.
        grain = Image.frombytes("RGB", frame.size, chance.randbytes(3 * frame.width * frame.height))
        grain = Image.blend(Image.new("RGB", frame.size, "#808080"), grain, 3.46 * strength)
        return ImageChops.add(frame.convert("RGB"), grain, offset=-128)

    return (each(image, noisy),)


@node("Morphology")
def morphology(_: NodeRun, image: Images, operation: str, kernel_size: int) -> Result:
    size = kernel_size | 1

    def erode(frame: Image.Image) -> Image.Image:
        return frame.filter(ImageFilter.MinFilter(size))

    def dilate(frame: Image.Image) -> Image.Image:
        return frame.filter(ImageFilter.MaxFilter(size))

    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        "erode": erode,
        "dilate": dilate,
        "open": lambda frame: dilate(erode(frame)),
        "close": lambda frame: erode(dilate(frame)),
        "gradient": lambda frame: ImageChops.subtract(dilate(frame), erode(frame)),
        "top_hat": lambda frame: ImageChops.subtract(frame, dilate(erode(frame))),
        "bottom_hat": lambda frame: ImageChops.subtract(erode(dilate(frame)), frame),
    }
    return (each(image, changes[operation]),)


@node("AdjustBrightness")
def adjust_brightness(_: NodeRun, images: Images, factor: float) -> Result:
    return (each(images, lambda frame: ImageEnhance.Brightness(frame).enhance(factor)),)


@node("AdjustContrast")
def adjust_contrast(_: NodeRun, images: Images, factor: float) -> Result:
    return (
        each(images, lambda frame: Image.blend(Image.new(frame.mode, frame.size, "#808080"), frame, factor)),
    )


@node("ColorTransfer")
def color_transfer(
    run: NodeRun, image_target: Images, image_ref: Images, strength: float, **_: object
) -> Result:
    model = _statistics(image_ref[0])
    moved: list[Image.Image] = []
    for index, frame in enumerate(image_target):
        repeated = index and frame is image_target[index - 1]
        moved.append(moved[-1] if repeated else _recoloured(frame, model, strength))
        run.progress(index + 1, len(image_target))
    return (tuple(moved),)


_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")
_TO_LAB = ImageCms.buildTransform(_SRGB, _LAB, "RGB", "LAB")
_FROM_LAB = ImageCms.buildTransform(_LAB, _SRGB, "LAB", "RGB")


def _lab(frame: Image.Image) -> Image.Image:
    lab = ImageCms.applyTransform(frame.convert("RGB"), _TO_LAB)
    assert lab is not None
    return lab


def _statistics(frame: Image.Image) -> tuple[list[float], list[float]]:
    statistics = ImageStat.Stat(Image.merge("RGB", _lab(frame).split()))
    return statistics.mean, statistics.stddev


def _recoloured(frame: Image.Image, model: tuple[list[float], list[float]], strength: float) -> Image.Image:
    means, spreads = _statistics(frame)
    bands = []
    for band, mean, spread, wanted, width in zip(_lab(frame).split(), means, spreads, *model, strict=True):
        slope = width / spread if spread else 1.0
        bands.append(band.point([round((level - mean) * slope + wanted) for level in range(256)]))
    moved = ImageCms.applyTransform(Image.merge("LAB", bands), _FROM_LAB)
    assert moved is not None
    return Image.blend(frame.convert("RGB"), moved, min(strength, 1.0))


@node("ImageCompositeMasked")
def composite_masked(
    _: NodeRun,
    destination: Images,
    source: Images,
    x: int,
    y: int,
    resize_source: bool,
    mask: Masks | None = None,
) -> Result:
    masks = mask or (Image.new("L", source[0].size, 255),)
    stamps = pairs(source, masks, lambda frame, shade: _stamp(frame, shade, destination[0], resize_source))

    def pasted(under: Image.Image, stamp: Image.Image) -> Image.Image:
        canvas = under.copy()
        canvas.paste(stamp.convert(under.mode), (x, y), stamp.getchannel("A"))
        return canvas

    return (pairs(destination, stamps, pasted),)


def _stamp(frame: Image.Image, shade: Image.Image, under: Image.Image, resize: bool) -> Image.Image:
    frame = frame.convert("RGB")
    if resize:
        frame = frame.resize(under.size, Image.Resampling.BILINEAR)
    frame.putalpha(shade.resize(frame.size, Image.Resampling.BILINEAR))
    return frame


@node("JoinImageWithAlpha")
def join_with_alpha(_: NodeRun, image: Images, alpha: Masks) -> Result:
    def join(frame: Image.Image, mask: Image.Image) -> Image.Image:
        clear = frame.convert("RGB")
        clear.putalpha(ImageChops.invert(mask.resize(frame.size, Image.Resampling.BILINEAR)))
        return clear

    return (pairs(image, alpha, join),)


@node("SplitImageWithAlpha")
def split_with_alpha(_: NodeRun, image: Images) -> Result:
    masks = each(image, lambda frame: ImageChops.invert(frame.convert("RGBA").getchannel("A")))
    return each(image, lambda frame: frame.convert("RGB")), masks


@node("TextOverlay")
def text_overlay(
    _: NodeRun,
    images: Images,
    text: str,
    font_size: float,
    color: str,
    position: str,
    align: str,
    outline: bool,
) -> Result:
    def written(frame: Image.Image) -> Image.Image:
        canvas = frame.copy()
        size = max(8.0, frame.height * font_size / 100)
        x = {"left": size / 2, "center": frame.width / 2, "right": frame.width - size / 2}[align]
        anchor = {"left": "l", "center": "m", "right": "r"}[align] + ("a" if position == "top" else "d")
        ImageDraw.Draw(canvas).text(
            (x, size / 2 if position == "top" else frame.height - size / 2),
            text.replace("\n", " "),
            fill=color,
            font=ImageFont.load_default(size),
            anchor=anchor,
            stroke_width=max(1, int(size / 16)) if outline else 0,
            stroke_fill="#000",
        )
        return canvas

    return (each(images, written),)
