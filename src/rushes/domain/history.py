"""What a ComfyUI history entry says: how the prompt ended, and everything it made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rushes.domain.comfy import ComfyFile, at_start, node_class, node_in_words, node_title, without_paths
from rushes.domain.job import JobErrorCode

TRACEBACK_CHARS = 20_000


class Ending(StrEnum):
    """How a prompt ended."""

    SUCCESS = "success"
    ERROR = "error"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a prompt ended; of a failure the code, words for the user, and details for those who may see them."""

    ending: Ending
    code: JobErrorCode | None = None
    message: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComfyOutput:
    """One thing that an output node made: a file, or a text."""

    node_id: str
    node_title: str | None
    node_class: str | None
    key: str  # where the node listed it (images, gifs, audio, text …); says nothing about the kind
    file: ComfyFile | None = None
    text: str | None = None


# --- the ending ---------------------------------------------------------------------------------

_ENDINGS = {
    "execution_success": Ending.SUCCESS,
    "execution_error": Ending.ERROR,
    "execution_interrupted": Ending.INTERRUPTED,
}


def outcome(entry: Mapping[str, Any]) -> Outcome:
    """Read the ending off the last message; `status_str` calls an interrupt an error too."""
    name, data = _last_message(entry)
    ending = _ENDINGS[name] if name else _unspoken_ending(entry)
    if ending is Ending.SUCCESS:
        return Outcome(ending=ending)
    if ending is Ending.INTERRUPTED:
        return _interrupted(_graph(entry), data)
    return _failed(_graph(entry), data)


def _last_message(entry: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    for message in reversed(_list(_mapping(entry.get("status")).get("messages"))):
        if not isinstance(message, Sequence) or len(message) != 2 or not isinstance(message[0], str):
            continue
        if message[0] not in _ENDINGS:
            continue
        data = _mapping(message[1])
        if data.get("exception_type") != "ExecutionBlocked":  # a blocked branch; the prompt goes on
            return message[0], data
    return None, {}


def seconds_run(entry: Mapping[str, Any]) -> float | None:
    """How long a prompt ran by the server's own clock; None where it didn't succeed or doesn't say."""
    moments: dict[str, float] = {}
    for message in _list(_mapping(entry.get("status")).get("messages")):
        if isinstance(message, Sequence) and len(message) == 2 and isinstance(message[0], str):
            moment = _mapping(message[1]).get("timestamp")
            if isinstance(moment, int | float) and not isinstance(moment, bool):
                moments[message[0]] = moment / 1000
    if "execution_start" not in moments or "execution_success" not in moments:
        return None
    return max(0.0, moments["execution_success"] - moments["execution_start"])


def _unspoken_ending(entry: Mapping[str, Any]) -> Ending:
    status = _mapping(entry.get("status"))
    return Ending.ERROR if status.get("status_str") == "error" else Ending.SUCCESS


def _interrupted(graph: Mapping[str, Any], data: Mapping[str, Any]) -> Outcome:
    node = data.get("node_id")
    where = f" at {node_in_words(graph, str(node), _text(data.get('node_type')))}" if node else ""
    return Outcome(
        ending=Ending.INTERRUPTED,
        code=JobErrorCode.INTERRUPTED,
        message=f"ComfyUI was told to stop this run{where}.",
        details={"node_id": node, "node_class": data.get("node_type")},
    )


def _failed(graph: Mapping[str, Any], data: Mapping[str, Any]) -> Outcome:
    node_id = str(data["node_id"]) if data.get("node_id") is not None else None
    where = node_in_words(graph, node_id, _text(data.get("node_type"))) if node_id else "a node"
    kind, said = _text(data.get("exception_type")) or "", _text(data.get("exception_message")) or ""
    details = {
        "node_id": node_id,
        "node_class": data.get("node_type"),
        "node_title": node_title(graph, node_id) if node_id else None,
        "exception_type": kind,
        "exception_message": said,
        "traceback": _traceback(data.get("traceback")),
    }
    start = at_start(where)
    if _out_of_memory(kind, said):
        code = JobErrorCode.OUT_OF_MEMORY
        message = f"{start} ran out of memory. Try a smaller size, fewer frames or a smaller batch."
    else:
        code, message = JobErrorCode.NODE_ERROR, f"{start} failed: {_in_short(kind, said)}"
    return Outcome(ending=Ending.ERROR, code=code, message=message, details=details)


_OUT_OF_MEMORY = re.compile(
    r"out of memory|ran out of memory|allocation on device|not enough memory|can't allocate memory"
    r"|cannot allocate memory|CUBLAS_STATUS_ALLOC_FAILED|unable to allocate",
    re.IGNORECASE,
)


def _out_of_memory(kind: str, said: str) -> bool:
    name = kind.rpartition(".")[2]
    return name in {"OutOfMemoryError", "OOM_EXCEPTION", "MemoryError"} or bool(_OUT_OF_MEMORY.search(said))


def _in_short(kind: str, said: str) -> str:
    """The first line that says something, without the server's paths."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = without_paths(lines[0]).strip() if lines else ""
    name = kind.rpartition(".")[2]
    words = f"{name}: {first}" if name and first and name != "Exception" else first or name
    return (words or "it gave no reason")[:400]


def _traceback(lines: Any) -> str:
    text = (
        "".join(line for line in lines if isinstance(line, str))
        if isinstance(lines, list)
        else str(lines or "")
    )
    return text[-TRACEBACK_CHARS:]  # the end names the line that failed


# --- the outputs --------------------------------------------------------------------------------


def collect(entry: Mapping[str, Any]) -> list[ComfyOutput]:
    """Every file and text of every output node, whatever key it stands under, in natural order of the nodes."""
    outputs = _mapping(entry.get("outputs"))
    return [
        found
        for node_id in sorted(outputs, key=natural)
        for found in _of_node(entry, node_id, outputs[node_id])
    ]


def natural(node_id: str) -> list[tuple[int, int, str]]:
    """A sort key that puts 9 before 10 and 12:2 before 12:10."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", node_id)
        if part
    ]


def _of_node(entry: Mapping[str, Any], node_id: str, made: Any) -> Iterator[ComfyOutput]:
    graph, named = _graph(entry), _named_node(entry, node_id)
    seen: set[ComfyFile] = set()
    for key, items in _mapping(made).items():
        for item in _flat(items):
            file = _file(item)
            text = item if key == "text" and isinstance(item, str) else None
            if (file is None and text is None) or file in seen:
                continue
            if file is not None:
                seen.add(file)  # one file listed under two keys of a node is one file
            yield ComfyOutput(
                node_id=node_id,
                node_title=node_title(graph, named),
                node_class=node_class(graph, named),
                key=key,
                file=file,
                text=text,
            )


def _named_node(entry: Mapping[str, Any], node_id: str) -> str:
    """The node of the graph behind an output: nodes that expand into others report under ids of their own."""
    if node_id in _graph(entry):
        return node_id
    meta = _mapping(_mapping(entry.get("meta")).get(node_id))
    candidates = (meta.get(name) for name in ("display_node", "parent_node", "real_node_id"))
    return next((str(c) for c in candidates if c is not None and str(c) in _graph(entry)), node_id)


def _flat(items: Any) -> Iterator[Any]:
    if isinstance(items, list):
        for item in items:
            yield from _flat(item)
    else:
        yield items


def _file(item: Any) -> ComfyFile | None:
    if not isinstance(item, Mapping) or not isinstance(item.get("filename"), str):
        return None
    folder, _, filename = item["filename"].rpartition("/")  # /view wants directories in the subfolder
    subfolder = "/".join(part for part in (_text(item.get("subfolder")), folder) if part)
    if not filename:
        return None
    return ComfyFile(filename=filename, subfolder=subfolder, type=_text(item.get("type")) or "output")


# --- reading what others wrote ------------------------------------------------------------------


def _graph(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    prompt = entry.get("prompt")
    return _mapping(prompt[2]) if isinstance(prompt, list) and len(prompt) > 2 else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
