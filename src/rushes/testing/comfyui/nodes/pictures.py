"""Nodes that read pictures from the folders."""

from pathlib import Path

import av.error
from PIL import Image, ImageChops, ImageOps, ImageSequence, UnidentifiedImageError

from rushes.testing.comfyui.media import Images, Masks
from rushes.testing.comfyui.nodes.registry import NodeRun, Result, node

_INVALID_DATA = 1094995529


@node("LoadImage", file_input="image", file_word="image")
def load_image(run: NodeRun, image: str) -> Result:
    return _load(run, run.folders.annotated(image))


@node("LoadImageOutput", file_input="image", file_word="image")
def load_image_output(run: NodeRun, image: str) -> Result:
    return _load(run, run.folders.annotated(image, "output"))


@node("LoadImageMask", file_input="image", file_word="image")
def load_image_mask(run: NodeRun, image: str, channel: str) -> Result:
    frame = _frames(run, run.folders.annotated(image))[0].convert("RGBA")
    if channel == "alpha":
        return ((ImageChops.invert(frame.getchannel("A")),),)
    return ((frame.getchannel(channel[0].upper()),),)


def _load(run: NodeRun, path: Path) -> Result:
    frames = _frames(run, path)
    pictures: list[Image.Image] = []
    masks: list[Image.Image] = []
    for frame in frames:
        if pictures and frame.size != pictures[0].size:
            continue
        clear = frame.mode in ("RGBA", "LA", "PA") or "transparency" in frame.info
        pictures.append(frame.convert("RGB"))
        masks.append(
            ImageChops.invert(frame.convert("RGBA").getchannel("A")) if clear else Image.new("L", (64, 64), 0)
        )
    images: Images = tuple(pictures)
    holes: Masks = tuple(masks)
    return images, holes


def _frames(run: NodeRun, path: Path) -> list[Image.Image]:
    try:
        with Image.open(path) as opened:
            return [ImageOps.exif_transpose(frame.copy()) for frame in ImageSequence.Iterator(opened)]
    except FileNotFoundError as error:
        if run.generation.av_image_errors:
            raise av.error.FileNotFoundError(2, "No such file or directory", str(path)) from error
        raise
    except (UnidentifiedImageError, OSError) as error:
        if run.generation.av_image_errors:
            message = "Invalid data found when processing input"
            raise av.error.InvalidDataError(_INVALID_DATA, message, str(path)) from error
        raise
