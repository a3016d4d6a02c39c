"""What is wrong with a node, in words that name the node, its input and the value."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rushes.adapters.comfyui.graph_shape import dangling_link
from rushes.domain.comfy import at_start, node_class, node_in_words, node_title, without_paths
from rushes.domain.job import JobErrorCode

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


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one node."""

    code: JobErrorCode
    message: str
    record: dict[str, Any]


def node_faults(graph: Mapping[str, Any], node_errors: Mapping[str, Any]) -> Iterator[Fault]:
    """Everything that an answer's `node_errors` holds against the graph."""
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
    if str(error.get("type")).startswith("exception_during") and (lost := dangling_link(graph)):
        words = f"something that it depends on links to node {lost}, which is not in the graph."
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
    return Fault(code, f"{at_start(node_in_words(graph, node_id, class_type))}: {words}", record)


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
    return JobErrorCode.INVALID_WORKFLOW, subject + clear(said, about)


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


def _show(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def clear(said: str, about: str) -> str:
    """ComfyUI's own words as the end of a sentence."""
    text = without_paths(f"{_lower(said)} ({about})" if about and about != said else _lower(said)).strip()
    return (text[:400] or "it gave no reason").rstrip(".") + "."


def _lower(said: str) -> str:
    return said[:1].lower() + said[1:]
