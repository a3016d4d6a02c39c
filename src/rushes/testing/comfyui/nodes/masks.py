"""Nodes on masks."""

from collections.abc import Callable

from PIL import Image, ImageChops, ImageFilter

from rushes.testing.comfyui.media import Images, Masks, each, pairs
from rushes.testing.comfyui.nodes.registry import NodeRun, Result, node


@node("MaskToImage")
def mask_to_image(_: NodeRun, mask: Masks) -> Result:
    return (each(mask, lambda frame: frame.convert("RGB")),)


@node("ImageToMask")
def image_to_mask(_: NodeRun, image: Images, channel: str) -> Result:
    if channel == "alpha" and image[0].mode != "RGBA":
        raise IndexError("index 3 is out of bounds for dimension 3 with size 3")
    return (each(image, lambda frame: frame.getchannel(channel[0].upper())),)


@node("ImageColorToMask")
def image_color_to_mask(_: NodeRun, image: Images, color: int) -> Result:
    wanted = Image.new("RGB", image[0].size, f"#{color:06x}")

    def equal(frame: Image.Image) -> Image.Image:
        red, green, blue = ImageChops.difference(frame.convert("RGB"), wanted).split()
        return ImageChops.lighter(ImageChops.lighter(red, green), blue).point([255] + [0] * 255)

    return (each(image, equal),)


@node("SolidMask")
def solid_mask(_: NodeRun, value: float, width: int, height: int) -> Result:
    return ((Image.new("L", (width, height), round(255 * value)),),)


@node("InvertMask")
def invert_mask(_: NodeRun, mask: Masks) -> Result:
    return (each(mask, ImageChops.invert),)


@node("CropMask")
def crop_mask(_: NodeRun, mask: Masks, x: int, y: int, width: int, height: int) -> Result:
    own = mask[0].size
    box = (x, y, min(x + width, own[0]), min(y + height, own[1]))
    return (each(mask, lambda frame: frame.crop(box)),)


_OPERATIONS: dict[str, Callable[[Image.Image, Image.Image], Image.Image]] = {
    "multiply": ImageChops.multiply,
    "add": ImageChops.add,
    "subtract": ImageChops.subtract,
    "and": lambda one, other: ImageChops.darker(_sharp(one), _sharp(other)),
    "or": lambda one, other: ImageChops.lighter(_sharp(one), _sharp(other)),
    "xor": lambda one, other: ImageChops.difference(_sharp(one), _sharp(other)),
}


def _sharp(mask: Image.Image) -> Image.Image:
    return mask.point([0] * 128 + [255] * 128)


@node("MaskComposite")
def mask_composite(_: NodeRun, destination: Masks, source: Masks, x: int, y: int, operation: str) -> Result:
    def compose(under: Image.Image, over: Image.Image) -> Image.Image:
        box = (x, y, min(x + over.width, under.width), min(y + over.height, under.height))
        canvas = under.copy()
        if box[2] > box[0] and box[3] > box[1]:
            part = over.crop((0, 0, box[2] - box[0], box[3] - box[1]))
            canvas.paste(_OPERATIONS[operation](under.crop(box), part), box)
        return canvas

    return (pairs(destination, source, compose),)


@node("FeatherMask")
def feather_mask(_: NodeRun, mask: Masks, left: int, top: int, right: int, bottom: int) -> Result:
    width, height = mask[0].size
    across = Image.frombytes("L", (width, 1), _fade(width, left, right)).resize((width, height))
    down = Image.frombytes("L", (1, height), _fade(height, top, bottom)).resize((width, height))
    fade = ImageChops.multiply(across, down)
    return (each(mask, lambda frame: ImageChops.multiply(frame, fade)),)


def _fade(length: int, start: int, end: int) -> bytes:
    start, end = min(start, length), min(end, length)

    def level(place: int) -> int:
        rising = min(1.0, (place + 1) / start) if start else 1.0
        falling = min(1.0, (length - place) / end) if end else 1.0
        return round(255 * rising * falling)

    return bytes(level(place) for place in range(length))


@node("GrowMask")
def grow_mask(_: NodeRun, mask: Masks, expand: int, **_inputs: object) -> Result:
    step = ImageFilter.MaxFilter(3) if expand > 0 else ImageFilter.MinFilter(3)

    def grown(frame: Image.Image) -> Image.Image:
        for _ in range(abs(expand)):
            frame = frame.filter(step)
        return frame

    return (each(mask, grown),)


@node("ThresholdMask")
def threshold_mask(_: NodeRun, mask: Masks, value: float) -> Result:
    levels = [255 if level / 255 > value else 0 for level in range(256)]
    return (each(mask, lambda frame: frame.point(levels)),)
