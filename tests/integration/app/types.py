"""Workflow types of the tests' own, as folders."""

import json
from pathlib import Path
from typing import Any

SLEEPER = """
title = "Sleep"
description = "Sleeps, then saves a picture."
output = "image"

[[inputs]]
name = "seconds"
kind = "number"
default = 0.2
min = 0
max = 600
bind = ["1.seconds"]

[[inputs]]
name = "steps"
kind = "integer"
default = 20
min = 1
max = 10000
bind = ["1.steps"]

[[inputs]]
name = "seed"
kind = "seed"
bind = ["1.seed"]

[[outputs]]
name = "picture"
kind = "image"
stored_as = "output"
node = "2"
"""


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def sleeper_graph() -> dict[str, Any]:
    return {
        "1": node("RushesDemoSleep", seconds=0.2, steps=20, preview="none", seed=0),
        "2": node("SaveImage", images=["1", 0], filename_prefix="x"),
    }


def install(folder: Path, name: str, manifest: str, graph: dict[str, Any]) -> None:
    """Put a type there whole: the graph first, as a manifest makes it a type."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "workflow.json").write_text(json.dumps(graph))
    (place / "manifest.toml").write_text(manifest)


def simple(title: str, output: str = "image", *, more: str = "") -> str:
    """A manifest without inputs whose node 2 makes the output."""
    return f"""
title = "{title}"
output = "{output}"
{more}
[[outputs]]
name = "made"
kind = "{output}"
stored_as = "output"
node = "2"
"""
