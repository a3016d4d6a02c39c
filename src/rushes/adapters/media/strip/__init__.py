"""Lossless removal of the prompt and graph that ComfyUI writes into what it saves.

Each format's module plans the new file as pieces of the old one; nothing is decoded or encoded again.
"""

from collections.abc import Callable

from rushes.adapters.media.strip import (
    boxes,
    ebml,
    exr,
    flac,
    gif,
    glb,
    id3,
    jpeg,
    ogg,
    png,
    riff,
    svg,
    tensors,
)
from rushes.adapters.media.strip.pieces import Piece, Source

PLANS: dict[str, Callable[[Source], list[Piece]]] = {
    "image/png": png.plan,
    "image/jpeg": jpeg.plan,
    "image/webp": riff.plan_webp,
    "image/gif": gif.plan,
    "image/svg+xml": svg.plan,
    "image/x-exr": exr.plan,
    "video/mp4": boxes.plan,
    "video/quicktime": boxes.plan,
    "audio/mp4": boxes.plan,
    "video/webm": ebml.plan,
    "video/x-matroska": ebml.plan,
    "video/x-msvideo": riff.plan_in_place,
    "audio/wav": riff.plan_in_place,
    "audio/mpeg": id3.plan,
    "audio/aac": id3.plan,
    "audio/flac": flac.plan,
    "audio/ogg": ogg.plan,
    "video/ogg": ogg.plan,
    "model/gltf-binary": glb.plan,
    "application/x-safetensors": tensors.plan,
}
