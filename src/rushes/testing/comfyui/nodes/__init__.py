"""The node classes the demo server executes, by class type."""

from rushes.testing.comfyui.nodes import (
    audio,
    batches,
    demo,
    filters,
    latents,
    logic,
    masks,
    pictures,
    saving,
    shapes,
    text,
    video,
)
from rushes.testing.comfyui.nodes.registry import NODES, Node

__all__ = [
    "NODES",
    "Node",
    "audio",
    "batches",
    "demo",
    "filters",
    "latents",
    "logic",
    "masks",
    "pictures",
    "saving",
    "shapes",
    "text",
    "video",
]
