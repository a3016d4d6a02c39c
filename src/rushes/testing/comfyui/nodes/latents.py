"""Nodes on latents: enough to make, repeat and save empty ones."""

import json
import math
from typing import Any

from rushes.testing.comfyui.media import Latent
from rushes.testing.comfyui.nodes.registry import NodeRun, Result, Shown, node


@node("EmptyLatentImage")
def empty_latent_image(_: NodeRun, width: int, height: int, batch_size: int = 1) -> Result:
    return (Latent.zeros(batch_size, 4, height // 8, width // 8),)


@node("EmptySD3LatentImage")
def empty_sd3_latent_image(_: NodeRun, width: int, height: int, batch_size: int = 1) -> Result:
    return (Latent.zeros(batch_size, 16, height // 8, width // 8),)


@node("EmptyHunyuanLatentVideo")
def empty_video_latent(_: NodeRun, width: int, height: int, length: int, batch_size: int = 1) -> Result:
    return (Latent.zeros(batch_size, 16, (length - 1) // 4 + 1, height // 8, width // 8),)


@node("RepeatLatentBatch")
def repeat_latent_batch(_: NodeRun, samples: Latent, amount: int) -> Result:
    return (samples.of_items(samples.items() * amount),)


@node("LatentFromBatch")
def latent_from_batch(_: NodeRun, samples: Latent, batch_index: int, length: int) -> Result:
    items = samples.items()
    start = min(len(items) - 1, batch_index if batch_index >= 0 else max(0, len(items) + batch_index))
    return (samples.of_items(items[start : start + length]),)


@node("LatentBatch")
def latent_batch(_: NodeRun, samples1: Latent, samples2: Latent) -> Result:
    if samples1.shape[1:] != samples2.shape[1:]:
        raise RuntimeError("Sizes of tensors must match except in dimension 0.")
    return (samples1.of_items(samples1.items() + samples2.items()),)


@node("SaveLatent")
def save_latent(run: NodeRun, samples: Latent, filename_prefix: str) -> Result:
    place = run.folders.save_path(filename_prefix)
    name = place.name("_.latent")
    notes = {"prompt": json.dumps(run.prompt)}
    notes |= {key: json.dumps(value) for key, value in (run.extra_pnginfo or {}).items()}
    (place.folder / name).write_bytes(_safetensors(samples, notes))
    return Shown(
        {"latents": [{"filename": name, "subfolder": place.subfolder, "type": "output"}]}, (samples,)
    )


@node("LoadLatent", file_input="latent", file_word="latent")
def load_latent(run: NodeRun, latent: str) -> Result:
    packed = run.folders.annotated(latent).read_bytes()
    length = int.from_bytes(packed[:8], "little")
    header: dict[str, Any] = json.loads(packed[8 : 8 + length])
    tensor = header["latent_tensor"]
    start, end = tensor["data_offsets"]
    return (Latent(tuple(tensor["shape"]), packed[8 + length + start : 8 + length + end]),)


def _safetensors(samples: Latent, notes: dict[str, str]) -> bytes:
    size = 4 * math.prod(samples.shape)
    header: dict[str, Any] = {
        "__metadata__": notes,
        "latent_format_version_0": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]},
        "latent_tensor": {"dtype": "F32", "shape": list(samples.shape), "data_offsets": [0, size]},
    }
    packed = json.dumps(header).encode()
    packed += b" " * (-len(packed) % 8)
    return len(packed).to_bytes(8, "little") + packed + samples.values
