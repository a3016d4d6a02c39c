"""Nodes that change a picture's size or outline."""

import math

from PIL import Image, ImageChops

from rushes.testing.comfyui.media import Images, Masks, each, pairs, resized, same_mode
from rushes.testing.comfyui.nodes.registry import NodeRun, Result, node

_COLOURS = {"white": "#fff", "black": "#000", "red": "#f00", "green": "#0f0", "blue": "#00f"}


@node("ImageScale")
def image_scale(_: NodeRun, image: Images, upscale_method: str, width: int, height: int, crop: str) -> Result:
    if width == 0 and height == 0:
        return (image,)
    own = image[0].size
    width = width or max(1, round(own[0] * height / own[1]))
    height = height or max(1, round(own[1] * width / own[0]))
    return (each(image, lambda frame: resized(frame, width, height, upscale_method, crop)),)


@node("ImageScaleBy")
def image_scale_by(_: NodeRun, image: Images, upscale_method: str, scale_by: float) -> Result:
    width, height = (round(side * scale_by) for side in image[0].size)
    return (each(image, lambda frame: resized(frame, width, height, upscale_method)),)


@node("ImageScaleToTotalPixels")
def image_scale_to_total_pixels(
    _: NodeRun, image: Images, upscale_method: str, megapixels: float, resolution_steps: int = 1
) -> Result:
    scale = math.sqrt(megapixels * 1024 * 1024 / (image[0].width * image[0].height))
    width, height = (
        max(1, round(side * scale / resolution_steps)) * resolution_steps for side in image[0].size
    )
    return (each(image, lambda frame: resized(frame, width, height, upscale_method)),)


@node("ImageScaleToMaxDimension")
def image_scale_to_max_dimension(_: NodeRun, image: Images, upscale_method: str, largest_size: int) -> Result:
    scale = largest_size / max(image[0].size)
    width, height = (max(1, round(side * scale)) for side in image[0].size)
    return (each(image, lambda frame: resized(frame, width, height, upscale_method)),)


@node("ResizeImagesByLongerEdge")
def resize_by_longer_edge(_: NodeRun, images: Images, longer_edge: int) -> Result:
    scale = longer_edge / max(images[0].size)
    width, height = (max(1, int(side * scale)) for side in images[0].size)
    return (each(images, lambda frame: resized(frame, width, height, "lanczos")),)


@node("ResizeImagesByShorterEdge")
def resize_by_shorter_edge(_: NodeRun, images: Images, shorter_edge: int) -> Result:
    scale = shorter_edge / min(images[0].size)
    width, height = (max(1, int(side * scale)) for side in images[0].size)
    return (each(images, lambda frame: resized(frame, width, height, "lanczos")),)


@node("ResizeAndPadImage")
def resize_and_pad(
    _: NodeRun,
    image: Images,
    target_width: int,
    target_height: int,
    padding_color: str,
    interpolation: str,
) -> Result:
    scale = min(target_width / image[0].width, target_height / image[0].height)
    width, height = (max(1, int(side * scale)) for side in image[0].size)

    def padded(frame: Image.Image) -> Image.Image:
        canvas = Image.new(frame.mode, (target_width, target_height), padding_color)
        canvas.paste(
            resized(frame, width, height, interpolation),
            ((target_width - width) // 2, (target_height - height) // 2),
        )
        return canvas

    return (each(image, padded),)


@node("ImageCrop")
def image_crop(_: NodeRun, image: Images, width: int, height: int, x: int, y: int) -> Result:
    own = image[0].size
    x, y = min(x, own[0] - 1), min(y, own[1] - 1)
    box = (x, y, min(x + width, own[0]), min(y + height, own[1]))
    return (each(image, lambda frame: frame.crop(box)),)


@node("CenterCropImages")
def center_crop(_: NodeRun, images: Images, width: int, height: int) -> Result:
    own = images[0].size
    x, y = max(0, (own[0] - width) // 2), max(0, (own[1] - height) // 2)
    box = (x, y, min(x + width, own[0]), min(y + height, own[1]))
    return (each(images, lambda frame: frame.crop(box)),)


@node("ImageFlip")
def image_flip(_: NodeRun, image: Images, flip_method: str) -> Result:
    way = Image.Transpose.FLIP_TOP_BOTTOM if flip_method.startswith("x") else Image.Transpose.FLIP_LEFT_RIGHT
    return (each(image, lambda frame: frame.transpose(way)),)


@node("ImageRotate")
def image_rotate(_: NodeRun, image: Images, rotation: str) -> Result:
    turns = {
        "90": Image.Transpose.ROTATE_270,  # Pillow turns the other way round
        "180": Image.Transpose.ROTATE_180,
        "270": Image.Transpose.ROTATE_90,
    }
    way = turns.get(rotation.split(" ", 1)[0])
    return (image if way is None else each(image, lambda frame: frame.transpose(way)),)


@node("ImagePadForOutpaint")
def pad_for_outpaint(
    _: NodeRun, image: Images, left: int, top: int, right: int, bottom: int, feathering: int
) -> Result:
    width, height = image[0].size
    size = (width + left + right, height + top + bottom)

    def padded(frame: Image.Image) -> Image.Image:
        canvas = Image.new(frame.mode, size, "#808080")
        canvas.paste(frame, (left, top))
        return canvas

    mask = Image.new("L", size, 255)
    mask.paste(_feather(width, height, (left, top, right, bottom), feathering), (left, top))
    return each(image, padded), (mask,)


def _feather(width: int, height: int, grown: tuple[int, int, int, int], reach: int) -> Image.Image:
    if reach == 0 or reach * 2 >= min(width, height):
        return Image.new("L", (width, height), 0)
    across = _ramp(width, grown[0] > 0, grown[2] > 0, reach)
    down = _ramp(height, grown[1] > 0, grown[3] > 0, reach)
    rows = Image.frombytes("L", (width, 1), across).resize((width, height), Image.Resampling.NEAREST)
    columns = Image.frombytes("L", (1, height), down).resize((width, height), Image.Resampling.NEAREST)
    return ImageChops.lighter(rows, columns)


def _ramp(length: int, at_start: bool, at_end: bool, reach: int) -> bytes:
    def level(place: int) -> int:
        distance = min(place if at_start else length, length - place if at_end else length)
        return int(255 * max(0.0, (reach - distance) / reach) ** 2)

    return bytes(level(place) for place in range(length))


@node("ImageStitch")
def image_stitch(
    _: NodeRun,
    image1: Images,
    direction: str,
    match_image_size: bool,
    spacing_width: int,
    spacing_color: str,
    image2: Images | None = None,
) -> Result:
    if image2 is None:
        return (image1,)
    sideways = direction in ("left", "right")
    gap = spacing_width + spacing_width % 2

    def stitch(one: Image.Image, other: Image.Image) -> Image.Image:
        one, other = same_mode(one, other)
        if match_image_size:
            other = _matched(other, one, sideways)
        first, second = (one, other) if direction in ("right", "down") else (other, one)
        return _side_by_side(first, second, sideways, gap, _COLOURS[spacing_color])

    return (pairs(image1, image2, stitch),)


def _matched(picture: Image.Image, model: Image.Image, sideways: bool) -> Image.Image:
    if sideways:
        width, height = int(model.height * picture.width / picture.height), model.height
    else:
        width, height = model.width, int(model.width * picture.height / picture.width)
    return resized(picture, max(1, width), max(1, height), "lanczos")


def _side_by_side(
    first: Image.Image, second: Image.Image, sideways: bool, gap: int, colour: str
) -> Image.Image:
    if sideways:
        width, height = first.width + gap + second.width, max(first.height, second.height)
    else:
        width, height = max(first.width, second.width), first.height + gap + second.height
    canvas = Image.new(first.mode, (width, height), colour)
    if sideways:
        canvas.paste(first, (0, (height - first.height) // 2))
        canvas.paste(second, (first.width + gap, (height - second.height) // 2))
    else:
        canvas.paste(first, ((width - first.width) // 2, 0))
        canvas.paste(second, ((width - second.width) // 2, first.height + gap))
    return canvas


@node("ResizeImageMaskNode")
def resize_image_mask(
    _: NodeRun, input: Images | Masks, resize_type: str, scale_method: str, **chosen: object
) -> Result:
    width, height, crop = _wanted_size(
        input[0].size, resize_type, {name.partition("__")[2]: value for name, value in chosen.items()}
    )
    return (each(input, lambda frame: resized(frame, width, height, scale_method, crop)),)


def _wanted_size(own: tuple[int, int], how: str, values: dict[str, object]) -> tuple[int, int, str]:
    crop = str(values.get("crop", "disabled"))
    number = {name: float(value) for name, value in values.items() if isinstance(value, int | float)}
    if how == "match size":
        match = values["match"]
        assert isinstance(match, tuple)
        return match[0].width, match[0].height, crop
    if how == "scale dimensions":
        width = number["width"] or own[0] * number["height"] / own[1]
        height = number["height"] or own[1] * number["width"] / own[0]
        return max(1, round(width)), max(1, round(height)), crop
    if how == "scale to multiple":
        step = int(number["multiple"])
        return max(step, own[0] // step * step), max(step, own[1] // step * step), "center"
    scale = {
        "scale by multiplier": lambda: number["multiplier"],
        "scale longer dimension": lambda: number["longer_size"] / max(own),
        "scale shorter dimension": lambda: number["shorter_size"] / min(own),
        "scale width": lambda: number["width"] / own[0],
        "scale height": lambda: number["height"] / own[1],
        "scale total pixels": lambda: math.sqrt(number["megapixels"] * 1024 * 1024 / (own[0] * own[1])),
    }[how]()
    return max(1, round(own[0] * scale)), max(1, round(own[1] * scale)), "disabled"
