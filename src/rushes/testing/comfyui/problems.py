"""Errors in ComfyUI's own shape and words."""

import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from rushes.testing.comfyui.definitions import Input


def problem(
    kind: str, message: str, details: str = "", extra: dict[str, Any] | None = None
) -> dict[str, Any]:
    """ComfyUI's shape of an error."""
    return {"type": kind, "message": message, "details": details, "extra_info": extra or {}}


def missing_input(name: str) -> dict[str, Any]:
    """A required input that is not there."""
    last = name.rpartition(".")[2]
    return problem("required_input_missing", "Required input is missing", last, {"input_name": name})


def raised(kind: str, error: Exception, inner: dict[str, Any] | None = None) -> dict[str, Any]:
    """An exception while checking a node, told at that node or at the one before it."""
    message = "Exception when validating inner node" if inner else "Exception when validating node"
    extra = {"exception_type": type(error).__name__, "traceback": traceback.format_tb(error.__traceback__)}
    if inner is not None:
        extra = inner | {"exception_message": str(error)} | extra
    return problem(kind, message, str(error), extra)


def out_of_range(one: Input, value: Any, where: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is wrong with a value of the right type."""
    low, high = one.extra.get("min"), one.extra.get("max")
    if low is not None and value < low:
        yield problem("value_smaller_than_min", f"Value {value} smaller than min of {low}", one.name, where)
    elif high is not None and value > high:
        yield problem("value_bigger_than_max", f"Value {value} bigger than max of {high}", one.name, where)
    elif one.choices is not None and value not in one.choices:
        long = len(one.choices) > 20
        listing = f"(list of length {len(one.choices)})" if long else str(one.choices)
        extra = where | ({"input_config": None} if long else {})
        yield problem(
            "value_not_in_list", "Value not in list", f"{one.name}: '{value}' not in {listing}", extra
        )


def unknown_class(name: str, given: Mapping[str, Any], *, tells_name: bool) -> dict[str, Any]:
    """A node whose class is missing or not known; the newer version tells its title and class."""
    named = "class_type" in given
    class_type = given["class_type"] if named else None
    details = f"Node ID '#{name}'"
    if not tells_name:
        text = f"node {class_type} does not exist." if named else "a node is missing the class_type property."
        return problem("invalid_prompt", f"Cannot execute because {text}", details)
    title = given.get("_meta", {}).get("title", class_type)
    trouble = (
        "not found. The custom node may not be installed."
        if named
        else "has no class_type. The workflow may be corrupted or a custom node is missing."
    )
    extra = {"node_id": name, "class_type": class_type, "node_title": title}
    return problem("missing_node_type", f"Node '{title}' {trouble}", details, extra)
