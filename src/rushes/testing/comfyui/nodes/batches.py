"""Nodes that make, cut and count batches of pictures."""

from PIL import Image

from rushes.testing.comfyui.media import Images, Masks, each, resized
from rushes.testing.comfyui.nodes.registry import NodeRun, Result, node


@node("EmptyImage")
def empty_image(_: NodeRun, width: int, height: int, batch_size: int = 1, color: int = 0) -> Result:
    return ((Image.new("RGB", (width, height), f"#{color:06x}"),) * batch_size,)


@node("ImageBatch")
def image_batch(_: NodeRun, image1: Images, image2: Images) -> Result:
    return (_joined([image1, image2]),)


@node("BatchImagesNode")
def batch_images(_: NodeRun, **images: Images) -> Result:
    return (_joined([batch for name, batch in images.items() if "__" in name and batch]),)


@node("BatchMasksNode")
def batch_masks(_: NodeRun, **masks: Masks) -> Result:
    return (_joined([batch for name, batch in masks.items() if "__" in name and batch]),)


def _joined(batches: list[Images]) -> Images:
    size = batches[0][0].size
    mode = "RGBA" if any(frame.mode == "RGBA" for batch in batches for frame in batch[:1]) else None

    def fitted(frame: Image.Image) -> Image.Image:
        frame = frame if frame.size == size else resized(frame, *size, "bilinear", "center")
        return frame if mode is None else frame.convert(mode)

    return tuple(frame for batch in batches for frame in each(batch, fitted))


@node("ImageFromBatch")
def image_from_batch(_: NodeRun, image: Images, batch_index: int, length: int) -> Result:
    start = batch_index if batch_index >= 0 else max(0, len(image) + batch_index)
    start = min(len(image) - 1, start)
    return (image[start : start + length],)


@node("RepeatImageBatch")
def repeat_image_batch(_: NodeRun, image: Images, amount: int) -> Result:
    return (image * amount,)


@node("RebatchImages", takes_lists=True)
def rebatch_images(_: NodeRun, images: list[Images], batch_size: list[int]) -> Result:
    frames = [frame for batch in images for frame in batch]
    size = batch_size[0]
    return ([tuple(frames[at : at + size]) for at in range(0, len(frames), size)],)


@node("GetImageSize")
def get_image_size(run: NodeRun, image: Images) -> Result:
    width, height = image[0].size
    run.show_text(f"width: {width}, height: {height}\n batch size: {len(image)}")
    return width, height, len(image)


@node("ImageGrid", takes_lists=True)
def image_grid(
    _: NodeRun,
    images: list[Images],
    columns: list[int],
    cell_width: list[int],
    cell_height: list[int],
    padding: list[int],
) -> Result:
    frames = [frame for batch in images for frame in batch]
    across, wide, high, gap = columns[0], cell_width[0], cell_height[0], padding[0]
    rows = -(-len(frames) // across)
    size = (across * wide + (across - 1) * gap, rows * high + (rows - 1) * gap)
    canvas = Image.new("RGB", size, "#000")
    for index, frame in enumerate(frames):
        row, column = divmod(index, across)
        canvas.paste(resized(frame, wide, high, "lanczos"), (column * (wide + gap), row * (high + gap)))
    return ((canvas,),)
