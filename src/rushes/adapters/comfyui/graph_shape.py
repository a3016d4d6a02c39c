"""The shape a graph must have before it is sent: to some faults ComfyUI answers 500 and says no more."""

from collections.abc import Iterator, Mapping
from typing import Any

from rushes.domain.comfy import PromptRejected, at_start, node_in_words
from rushes.domain.job import JobErrorCode


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
            raise _invalid(f"{at_start(node_in_words(graph, node_id))} has no inputs object.")


def dangling_link(graph: Mapping[str, Any]) -> str | None:
    """The first node that some input links to and that is not there."""
    return next((target for target in _links(graph) if target not in graph), None)


def _links(graph: Mapping[str, Any]) -> Iterator[str]:
    for node in graph.values():
        for value in node["inputs"].values():
            if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
                yield value[0]


def _invalid(message: str) -> PromptRejected:
    return PromptRejected(JobErrorCode.INVALID_WORKFLOW, message)
