"""Why ComfyUI refuses a graph: its answers, of both generations, in words."""

import re
from collections.abc import Mapping
from typing import Any

from rushes.adapters.comfyui.node_faults import Fault, clear, node_faults
from rushes.domain.comfy import PromptRejected, node_title
from rushes.domain.job import JobErrorCode

_GRAVITY = (
    JobErrorCode.MISSING_NODE,
    JobErrorCode.MISSING_MODEL,
    JobErrorCode.MISSING_INPUT,
    JobErrorCode.INVALID_WORKFLOW,
)
_UNKNOWN_NODE_0_3 = re.compile(r"because node (.+) does not exist")
_NODE_ID = re.compile(r"Node ID '#(.*)'")


def rejection(graph: Mapping[str, Any], answer: Mapping[str, Any]) -> PromptRejected:
    """The error for an answer of POST /prompt that holds an `error` or `node_errors`."""
    error = answer.get("error")
    error = error if isinstance(error, Mapping) else {"message": error}
    node_errors = answer.get("node_errors")
    faults = list(node_faults(graph, node_errors if isinstance(node_errors, Mapping) else {}))
    if not faults:
        faults = [_whole_fault(graph, error)]
    faults.sort(key=lambda fault: _GRAVITY.index(fault.code))
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    details = {"type": error.get("type"), "errors": [fault.record for fault in faults]}
    return PromptRejected(faults[0].code, faults[0].message + more, details)


def _whole_fault(graph: Mapping[str, Any], error: Mapping[str, Any]) -> Fault:
    kind, said, about = (
        str(error.get("type")),
        str(error.get("message") or ""),
        str(error.get("details") or ""),
    )
    missing = _missing_node(graph, error, said, about)
    if missing:
        return missing
    words = {
        "prompt_no_outputs": "The graph has no output node, so it would make nothing.",
        "prompt_outputs_failed_validation": "None of the graph's outputs can be made. Do its links form a cycle?",
    }.get(kind)
    record = {"type": kind, "message": said, "details": about}
    return Fault(
        JobErrorCode.INVALID_WORKFLOW, words or f"ComfyUI refused the graph: {clear(said, about)}", record
    )


def _missing_node(graph: Mapping[str, Any], error: Mapping[str, Any], said: str, about: str) -> Fault | None:
    extra = error.get("extra_info")
    extra = extra if isinstance(extra, Mapping) else {}
    found = _NODE_ID.search(about)
    node_id = str(extra.get("node_id") or (found.group(1) if found else ""))
    unknown = _UNKNOWN_NODE_0_3.search(said)
    class_type = (
        extra.get("class_type") if error.get("type") == "missing_node_type" else unknown and unknown.group(1)
    )
    if not isinstance(class_type, str) or not class_type:
        return None
    record = {"type": error.get("type"), "node_id": node_id, "class_type": class_type}
    title = node_title(graph, node_id)
    named = f' for node {node_id} "{title}"' if title and title != class_type else f" for node {node_id}"
    return Fault(
        JobErrorCode.MISSING_NODE,
        f"The server doesn't have the node class {class_type}{named}. Install the custom node that brings it.",
        {**record, "title": title},
    )
