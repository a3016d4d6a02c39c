"""Nodes that write pictures, with the prompt embedded as the real ones do."""

import json
from collections.abc import Mapping
from typing import Any

from PIL import Image, PngImagePlugin

from rushes.testing.comfyui.media import Images, Masks, each
from rushes.testing.comfyui.nodes.registry import NodeRun, Result, Shown, node


def notes(run: NodeRun) -> dict[str, str]:
    """What the real server embeds in every file: the prompt and each key of extra_pnginfo, as JSON."""
    return {"prompt": json.dumps(run.prompt)} | {
        key: json.dumps(value) for key, value in (run.extra_pnginfo or {}).items()
    }


@node("SaveImage")
def save_image(run: NodeRun, images: Images, filename_prefix: str = "ComfyUI") -> Result:
    return Shown({"images": _save_png(run, images, filename_prefix, "output", 4)}, (images,))


@node("PreviewImage")
def preview_image(run: NodeRun, images: Images) -> Result:
    return Shown({"images": _save_png(run, images, run.temp_prefix(), "temp", 1)}, (images,))


@node("MaskPreview")
def mask_preview(run: NodeRun, mask: Masks) -> Result:
    images = each(mask, lambda frame: frame.convert("RGB"))
    saved: dict[str, Any] = {"images": _save_png(run, images, run.temp_prefix(), "temp", 4)}
    return Shown(saved | ({"animated": [False]} if run.generation.newer_nodes else {}), (mask,))


def _save_png(run: NodeRun, images: Images, prefix: str, kind: str, level: int) -> list[dict[str, Any]]:
    place = run.folders.save_path(prefix, kind=kind, size=images[0].size)
    chunks = PngImagePlugin.PngInfo()
    for key, value in notes(run).items():
        chunks.add_text(key, value)
    saved = []
    for offset, image in enumerate(images):
        name = place.name("_.png", offset=offset)
        image.save(place.folder / name, pnginfo=chunks, compress_level=level)
        saved.append({"filename": name, "subfolder": place.subfolder, "type": kind})
    return saved


@node("SaveAnimatedWEBP")
def save_animated_webp(
    run: NodeRun,
    images: Images,
    filename_prefix: str,
    fps: float,
    lossless: bool,
    quality: int,
    method: str,
) -> Result:
    place = run.folders.save_path(filename_prefix, size=images[0].size)
    name = place.name("_.webp")
    images[0].save(
        place.folder / name,
        save_all=True,
        append_images=images[1:],
        duration=int(1000.0 / fps),
        exif=_exif(notes(run)),
        lossless=lossless,
        quality=quality,
        method={"default": 4, "fastest": 0, "slowest": 6}[method],
    )
    return _animation(name, place.subfolder, images)


def _exif(texts: Mapping[str, str]) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0110] = f"prompt:{texts['prompt']}"
    others = [(key, value) for key, value in texts.items() if key != "prompt"]
    for tag, (key, value) in zip(range(0x010F, 0, -1), others, strict=False):
        exif[tag] = f"{key}:{value}"
    return exif


@node("SaveAnimatedPNG")
def save_animated_png(
    run: NodeRun, images: Images, filename_prefix: str, fps: float, compress_level: int
) -> Result:
    place = run.folders.save_path(filename_prefix, size=images[0].size)
    name = place.name("_.png")
    chunks = PngImagePlugin.PngInfo()
    for key, value in notes(run).items():
        text = key.encode("latin-1") + b"\0" + value.encode("latin-1", "strict")
        chunks.add(b"comf", text, after_idat=True)
    images[0].save(
        place.folder / name,
        pnginfo=chunks,
        compress_level=compress_level,
        save_all=True,
        duration=int(1000.0 / fps),
        append_images=images[1:],
    )
    return _animation(name, place.subfolder, images)


def _animation(name: str, subfolder: str, images: Images) -> Shown:
    saved = {"filename": name, "subfolder": subfolder, "type": "output"}
    return Shown({"images": [saved], "animated": [True]}, (images,))
