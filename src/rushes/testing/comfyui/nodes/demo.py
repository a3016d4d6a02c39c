"""Nodes that no ComfyUI has: to wait, fail, block and show what a test wants. Listed only when asked for."""

import json
from typing import Any

from PIL import Image

from rushes.testing.comfyui.nodes.registry import Blocked, NodeRun, Result, Shown, node

PREFIX = "RushesDemo"


def _definition(
    name: str,
    required: dict[str, Any],
    optional: dict[str, Any] | None = None,
    *,
    output: list[str],
    output_node: bool = False,
) -> dict[str, Any]:
    inputs = {"required": required} | ({"optional": optional} if optional else {})
    return {
        "input": inputs,
        "input_order": {section: list(names) for section, names in inputs.items()},
        "is_input_list": False,
        "output": output,
        "output_is_list": [False] * len(output),
        "output_name": output,
        "name": name,
        "display_name": name,
        "description": "A node of the Rushes demo server.",
        "python_module": "rushes.testing.comfyui",
        "category": "rushes",
        "output_node": output_node,
    }


@node(
    "RushesDemoSleep",
    definition=_definition(
        "RushesDemoSleep",
        {
            "seconds": ["FLOAT", {"default": 1.0, "min": 0.0, "max": 3600.0}],
            "steps": ["INT", {"default": 10, "min": 1, "max": 10000}],
        },
        {
            "preview": [["none", "JPEG", "PNG"]],
            "seed": ["INT", {"default": 0, "min": 0, "max": 0xFFFFFFFFFFFFFFFF}],
        },
        output=["IMAGE"],
    ),
)
def demo_sleep(run: NodeRun, seconds: float, steps: int, preview: str = "none", seed: int = 0) -> Result:
    for step in range(steps):
        run.sleep(seconds / steps)
        shade = round(255 * (step + 1) / steps)
        image = Image.new("RGB", (64, 64), (shade, 80, 255 - shade)) if preview != "none" else None
        run.progress(step + 1, steps, image, preview)
    return ((Image.new("RGB", (8, 8), f"#{seed % 0x1000000:06x}"),),)


@node(
    "RushesDemoFail",
    definition=_definition(
        "RushesDemoFail",
        {"message": ["STRING", {"default": "boom"}]},
        {"image": ["IMAGE", {}]},
        output=["IMAGE"],
    ),
)
def demo_fail(_: NodeRun, message: str, **_inputs: object) -> Result:
    raise RuntimeError(message)


@node(
    "RushesDemoBlock",
    definition=_definition(
        "RushesDemoBlock",
        {"image": ["IMAGE", {}], "message": ["STRING", {"default": ""}]},
        output=["IMAGE"],
    ),
)
def demo_block(_: NodeRun, message: str, **_inputs: object) -> Result:
    return (Blocked(message or None),)


@node(
    "RushesDemoShow",
    definition=_definition(
        "RushesDemoShow",
        {"ui_json": ["STRING", {"default": "{}"}]},
        output=[],
        output_node=True,
    ),
)
def demo_show(_: NodeRun, ui_json: str) -> Result:
    return Shown(json.loads(ui_json))
