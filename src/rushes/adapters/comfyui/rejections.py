"""Why ComfyUI refuses a graph: its answers, of both generations, in words that name node, input and value."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rushes.domain.comfy import PromptRejected, node_class, node_in_words, node_title, without_paths
from rushes.domain.job import JobErrorCode

_GRAVITY = (
    JobErrorCode.MISSING_NODE,
    JobErrorCode.MISSING_MODEL,
    JobErrorCode.MISSING_INPUT,
    JobErrorCode.INVALID_WORKFLOW,
)
_MODEL_INPUT = re.compile(
    r"^(ckpt|unet|lora|vae|clip|clip_vision|control_net|controlnet|style_model|gligen|hypernetwork|upscale_model"
    r"|audio_encoder|photomaker_model|model_patch|text_encoder|diffusion_model|model)(_name|_path)?_?\d*$"
    r"|_(ckpt|unet|lora|vae|clip|model)(_name)?\d*$"
)
_MODEL_FILE = re.compile(r"\.(safetensors|sft|ckpt|pt2?|pth|bin|gguf|onnx)$", re.IGNORECASE)
_MEDIA_FILE = re.compile(
    r"\.(png|jpe?g|webp|gif|bmp|tiff?|exr|avif|mp4|mov|mkv|webm|avi|m4v|wav|mp3|flac|ogg|opus|m4a|aac|latent|glb|obj"
    r"|txt)( \[\w+\])?$",
    re.IGNORECASE,
)
_NO_FILE = re.compile(r"invalid \w+ file|no such file|not found|does(?:n't| not) exist", re.IGNORECASE)
_UNKNOWN_NODE_0_3 = re.compile(r"because node (.+) does not exist")
_NODE_ID = re.compile(r"Node ID '#(.*)'")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one node."""

    code: JobErrorCode
    message: str
    record: dict[str, Any]


def check_shape(graph: Mapping[str, Any]) -> None:
    """Refuse what ComfyUI would answer with a bare 500. Raises PromptRejected."""
    if isinstance(graph.get("nodes"), list):
        raise _invalid(
            "This is a workflow in ComfyUI's editor format. Save it with “Export (API)” and use that file."
        )
    if not graph:
        raise _invalid("The graph has no nodes.")
    for node_id, node in graph.items():
        if not isinstance(node, Mapping) or not isinstance(node.get("class_type"), str):
            raise _invalid(f"Node {node_id} has no class_type. The graph must be in ComfyUI's API format.")
        if not isinstance(node.get("inputs"), Mapping):
            raise _invalid(f"{_start(graph, node_id, None)} has no inputs object.")


def rejection(graph: Mapping[str, Any], answer: Mapping[str, Any]) -> PromptRejected:
    """The error for an answer of POST /prompt that holds an `error` or `node_errors`."""
    error = answer.get("error")
    error = error if isinstance(error, Mapping) else {"message": error}
    node_errors = answer.get("node_errors")
    faults = list(_node_faults(graph, node_errors if isinstance(node_errors, Mapping) else {}))
    if not faults:
        faults = [_whole_fault(graph, error)]
    faults.sort(key=lambda fault: _GRAVITY.index(fault.code))
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    details = {"type": error.get("type"), "errors": [fault.record for fault in faults]}
    return PromptRejected(faults[0].code, faults[0].message + more, details)


# --- faults of the whole graph ------------------------------------------------------------------


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
        JobErrorCode.INVALID_WORKFLOW, words or f"ComfyUI refused the graph: {_clear(said, about)}", record
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


# --- faults of single nodes ---------------------------------------------------------------------


def _node_faults(graph: Mapping[str, Any], node_errors: Mapping[str, Any]) -> Iterator[Fault]:
    for node_id, report in node_errors.items():
        if not isinstance(report, Mapping):
            continue
        class_type = report.get("class_type")
        for error in report.get("errors") or ():
            if isinstance(error, Mapping):
                yield _node_fault(
                    graph, str(node_id), class_type if isinstance(class_type, str) else None, error
                )


def _node_fault(
    graph: Mapping[str, Any], node_id: str, class_type: str | None, error: Mapping[str, Any]
) -> Fault:
    extra = error.get("extra_info")
    extra = extra if isinstance(extra, Mapping) else {}
    name = extra.get("input_name")
    value = extra.get("received_value", _own_value(graph, node_id, name))
    code, words = _judge(error, extra, name, value)
    record = {
        "node_id": node_id,
        "class_type": class_type or node_class(graph, node_id),
        "title": node_title(graph, node_id),
        "type": error.get("type"),
        "input": name,
        "value": value,
        "message": error.get("message"),
        "details": str(error.get("details") or "")[:2000],
    }
    return Fault(code, f"{_start(graph, node_id, class_type)}: {words}", record)


def _judge(
    error: Mapping[str, Any], extra: Mapping[str, Any], name: Any, value: Any
) -> tuple[JobErrorCode, str]:
    said, about = str(error.get("message") or ""), str(error.get("details") or "")
    match error.get("type"):
        case "value_not_in_list":
            return _not_in_list(extra, name, value)
        case "custom_validation_failed" if _NO_FILE.search(about):
            return JobErrorCode.MISSING_INPUT, f"the file {_show(value)} (input {name}) is not on the server."
        case "required_input_missing":
            return JobErrorCode.INVALID_WORKFLOW, f"the input {name or about} is missing."
        case "invalid_input_type":
            wanted = _wanted(extra)
            return JobErrorCode.INVALID_WORKFLOW, f"the input {name} can't be {_show(value)}{wanted}."
        case "value_smaller_than_min" | "value_bigger_than_max":
            return JobErrorCode.INVALID_WORKFLOW, f"the input {name} can't be {_show(value)}: {_lower(said)}."
    subject = f"input {name}: " if name else ""
    return JobErrorCode.INVALID_WORKFLOW, subject + _clear(said, about)


def _not_in_list(extra: Mapping[str, Any], name: Any, value: Any) -> tuple[JobErrorCode, str]:
    text = value if isinstance(value, str) else ""
    if _MODEL_FILE.search(text) or (_MODEL_INPUT.search(str(name)) and not _MEDIA_FILE.search(text)):
        return JobErrorCode.MISSING_MODEL, f"the model {_show(value)} (input {name}) is not on the server."
    if _MEDIA_FILE.search(text):
        return JobErrorCode.MISSING_INPUT, f"the file {_show(value)} (input {name}) is not on the server."
    config = extra.get("input_config")
    choices = config[0] if isinstance(config, list) and config and isinstance(config[0], list) else []
    allowed = f" It can be {', '.join(map(str, choices))[:300]}." if choices else ""
    return JobErrorCode.INVALID_WORKFLOW, f"the input {name} can't be {_show(value)}.{allowed}"


def _own_value(graph: Mapping[str, Any], node_id: str, name: Any) -> Any:
    node = graph.get(node_id)
    inputs = node.get("inputs") if isinstance(node, Mapping) else None
    return inputs.get(name) if isinstance(inputs, Mapping) and isinstance(name, str) else None


def _wanted(extra: Mapping[str, Any]) -> str:
    config = extra.get("input_config")
    kind = config[0] if isinstance(config, list) and config else None
    names = {"INT": "a whole number", "FLOAT": "a number", "BOOLEAN": "true or false", "STRING": "a text"}
    return f": it takes {names.get(kind, kind)}" if isinstance(kind, str) else ""


# --- words --------------------------------------------------------------------------------------


def _invalid(message: str) -> PromptRejected:
    return PromptRejected(JobErrorCode.INVALID_WORKFLOW, message)


def _start(graph: Mapping[str, Any], node_id: str, class_type: str | None) -> str:
    words = node_in_words(graph, node_id, class_type)
    return words[0].upper() + words[1:]


def _show(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def _clear(said: str, about: str) -> str:
    text = without_paths(f"{_lower(said)} ({about})" if about and about != said else _lower(said)).strip()
    return (text[:400] or "it gave no reason").rstrip(".") + "."


def _lower(said: str) -> str:
    return said[:1].lower() + said[1:]
