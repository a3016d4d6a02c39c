"""Small manifests and graphs for the tests of this folder."""

from typing import Any

from rushes.domain.workflow import Workflow, parse_workflow


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def manifest(*inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    outputs = [{"name": "image", "kind": "image", "node": "9", "stored_as": "output"}]
    return {"title": "T", "output": "image", "inputs": list(inputs), "outputs": outputs, **more}


SAVE = node("SaveImage", images=["1", 0], filename_prefix="ComfyUI")


def workflow(*inputs: dict[str, Any], graph: dict[str, Any] | None = None, **more: Any) -> Workflow:
    """A type whose node 2 takes any value under any name."""
    nodes = graph or {
        "1": node("LoadImage", image="x.png"),
        "2": node("Anything", value=0, nested={"deep": [0, {"er": 1}]}),
        "9": SAVE,
    }
    return parse_workflow("sample", manifest(*inputs, **more), {"workflow.json": nodes})


def file(key: str = "k", content_type: str = "image/png", **more: Any) -> dict[str, Any]:
    return {"filename": "a.png", "key": key, "content_type": content_type, "size_bytes": 10, **more}
