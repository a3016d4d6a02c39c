"""Inputs as people might give them: ordinary, smallest and largest, to try a manifest with."""

import math
from collections.abc import Iterator
from typing import Any, Literal

from rushes.domain.fields import InputField
from rushes.domain.input_values import check_value
from rushes.domain.workflow_manifest import Manifest

Extent = Literal["ordinary", "small", "large"]
_SOME = 3


def sample_inputs(manifest: Manifest) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Validated inputs, and the upload names of their files."""
    for extent in ("ordinary", "small", "large"):
        files: dict[str, str] = {}
        yield {field.name: _sample(field, extent, files) for field in manifest.inputs}, files


def _sample(field: InputField, extent: Extent, files: dict[str, str]) -> Any:
    if field.is_list:
        count = field.max_items if extent == "large" else max(1, field.min_items)
        return [_item(field, extent, files) for _ in range(min(count, max(_SOME, field.min_items, 4)))]
    if field.is_file:
        return None if extent == "small" and not field.required else _file(field, files)
    if extent == "small" and not field.required and field.default is None and field.kind != "seed":
        return None
    if field.default is not None and (extent == "ordinary" or field.kind in {"duration", "select"}):
        return check_value(field, field.default)
    return _scalar(field, extent)


def _item(field: InputField, extent: Extent, files: dict[str, str]) -> Any:
    if field.kind == "image_list":
        return _file(field, files)
    return {inner.name: _sample(inner, extent, files) for inner in field.fields}


def _file(field: InputField, files: dict[str, str]) -> dict[str, Any]:
    key = f"sample/{len(files)}"
    files[key] = f"check/{field.name}"
    return {
        "filename": field.name,
        "key": key,
        "content_type": field.accepted[0],
        "size_bytes": 1,
        "width": 640,
        "height": 480,
        "duration_seconds": 7.3,
        "fps": 25.0,
    }


def _scalar(field: InputField, extent: Extent) -> Any:
    low, high = field.range
    match field.kind:
        case "string" | "text":
            return "text"
        case "boolean":
            return extent != "small"
        case "select":
            options = [option.value for option in field.options]
            return options[-1 if extent == "large" else 0] if options else None
        case "duration":
            return 1.0 if field.required else None
        case "resolution":
            side = int(low if extent == "small" or high == math.inf else high)
            return {"width": side, "height": side}
        case _:
            ends = [end for end in (low, high) if abs(end) != math.inf]
            return (ends[-1] if extent == "large" else ends[0]) if ends else 1
