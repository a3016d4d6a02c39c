"""The workflow types of the benches: the same graph for Rushes and for ComfyUI itself."""

import json
from pathlib import Path
from typing import Any

Graph = dict[str, Any]

_MANIFEST = """
title = "{title}"
output = "image"

[[inputs]]
name = "number"
kind = "integer"
default = 0
min = 0
max = 16777215
bind = ["{bind}"]

[[outputs]]
name = "picture"
kind = "image"
stored_as = "output"
node = "9"
"""


def _node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def _save(source: str) -> dict[str, Any]:
    return _node("SaveImage", images=[source, 0], filename_prefix="bench")


def trivial() -> Graph:
    """A few milliseconds."""
    return {"1": _node("EmptyImage", width=64, height=64, batch_size=1, color=0), "9": _save("1")}


def sleeping(seconds: float) -> Graph:
    """Half a second on the demo server."""
    return {"1": _node("RushesDemoSleep", seconds=seconds, steps=10, preview="none", seed=0), "9": _save("1")}


def blurring(times: int) -> Graph:
    """Half a second of work on a real ComfyUI without models, by as many blurs as it takes."""
    graph = {"1": _node("EmptyImage", width=512, height=512, batch_size=1, color=0)}
    for n in range(times):
        graph[f"b{n}"] = _node("ImageBlur", image=[f"b{n - 1}" if n else "1", 0], blur_radius=20, sigma=5.0)
    return graph | {"9": _save(f"b{times - 1}")}


def megabyte() -> Graph:
    """A picture of about 1 MB: noise can't be compressed."""
    return {"1": _node("LoadImage", image="noise.png"), "9": _save("1")}


BIND = {"trivial": "1.color", "sleeping": "1.seed", "blurring": "1.color"}


def install(folder: Path, name: str, graph: Graph) -> None:
    """Make it a workflow type."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "workflow.json").write_text(json.dumps(graph))
    (place / "manifest.toml").write_text(_MANIFEST.format(title=name, bind=BIND[name]))


def numbered(name: str, graph: Graph, number: int) -> Graph:
    """The graph with its number, and a prefix that no other run has: ComfyUI runs nothing twice."""
    made: Graph = json.loads(json.dumps(graph))
    node, key = BIND[name].split(".")
    made[node]["inputs"][key] = number
    made["9"]["inputs"]["filename_prefix"] = f"bench/{number}/out"
    return made
