"""The JSON Schema of a workflow type's inputs, with `x-` hints for forms; see docs/reference/manifest.md."""

import math
from typing import Any

from rushes.domain.fields import CLOCK_PATTERN, InputField
from rushes.domain.workflow import Workflow

Schema = dict[str, Any]

_FILE: Schema = {
    "type": "object",
    "anyOf": [{"required": ["upload_id"]}, {"required": ["key"]}],
    "properties": {"upload_id": {"type": "string"}, "key": {"type": "string"}},
}


def json_schema(workflow: Workflow) -> Schema:
    """JSON Schema 2020-12 of the `inputs` object that POST /api/jobs takes."""
    manifest = workflow.manifest
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:rushes:workflow:{workflow.type}:{workflow.version}",
        "title": manifest.title,
        "description": manifest.description,
        **_object(manifest.inputs),
        "x-workflow-type": workflow.type,
        "x-version": workflow.version,
        "x-icon": manifest.icon,
        "x-output": manifest.output,
        "x-dataset": manifest.dataset,
    }


def _object(fields: tuple[InputField, ...]) -> Schema:
    ordered = sorted(fields, key=lambda field: field.order)
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in ordered},
        "required": [field.name for field in ordered if field.required and field.default is None],
        "additionalProperties": False,
    }


def _property(field: InputField) -> Schema:
    schema = {"title": field.title, **_shape(field), **_hints(field)}
    if field.help:
        schema["description"] = field.help
    if field.default is not None:
        schema["default"] = field.default
    return schema


def _shape(field: InputField) -> Schema:
    match field.kind:
        case "string" | "text":
            least = {"minLength": 1} if field.required else {}
            return {"type": "string", "maxLength": field.max_length, **least}
        case "integer":
            return {"type": "integer", **_limits(field), **_multiple(field)}
        case "seed":
            return {"type": _open("integer", field), **_limits(field)}
        case "number":
            return {"type": _open("number", field), **_limits(field)}
        case "boolean":
            return {"type": "boolean"}
        case "select":
            return _select(field)
        case "resolution":
            side = {"type": "integer", **_limits(field), **_multiple(field)}
            return {
                "type": "object",
                "properties": {"width": side, "height": side},
                "required": ["width", "height"],
                "additionalProperties": False,
            }
        case "duration":
            pattern = CLOCK_PATTERN if field.required else f"^$|{CLOCK_PATTERN}"
            return {"type": _open("number", field, "string"), **_limits(field), "pattern": pattern}
        case "image_list":
            return {"type": "array", **_count(field), "items": _FILE}
        case "group":
            return {"type": "array", **_count(field), "items": _object(field.fields)}
        case _:
            return _FILE if field.required else {**_FILE, "type": ["object", "null"]}


def _open(kind: str, field: InputField, *more: str) -> Any:
    """Optional values may be null, which means "not given"."""
    kinds = [kind, *more, *([] if field.required else ["null"])]
    return kinds if len(kinds) > 1 else kinds[0]


def _limits(field: InputField) -> Schema:
    low, high = field.range
    limits = {"minimum": low} if low != -math.inf else {}
    return limits | ({"maximum": high} if high != math.inf else {})


def _multiple(field: InputField) -> Schema:
    """Only of whole numbers: validators disagree about multiples of 0.01."""
    if not isinstance(field.step, int):
        return {}
    defaults = field.default.values() if isinstance(field.default, dict) else [field.default]
    odd = [{"const": value} for value in defaults if value is not None and value % field.step]
    return {"anyOf": [{"multipleOf": field.step}, *odd]} if odd else {"multipleOf": field.step}


def _count(field: InputField) -> Schema:
    return {"minItems": field.min_items if field.required else 0, "maxItems": field.max_items}


def _select(field: InputField) -> Schema:
    values = [option.value for option in field.options]
    if field.options_from is not None:
        return {"type": "string", "maxLength": 1_000}
    return {"enum": values if field.required or field.default is not None else [*values, None]}


def _hints(field: InputField) -> Schema:
    hints: Schema = {
        "x-kind": field.kind,
        "x-order": field.order,
        "x-group": field.group,
        "x-advanced": field.advanced,
    }
    if field.step is not None:
        hints["x-step"] = field.step
    if field.accepted:
        hints["x-accepts"] = list(field.accepted)
    if field.max_bytes is not None:
        hints["x-max-bytes"] = field.max_bytes
    if field.options:
        hints["x-options"] = [option.model_dump() for option in field.options]
    if field.options_from is not None:
        hints["x-options-from"] = field.options_from.model_dump()
    return hints
