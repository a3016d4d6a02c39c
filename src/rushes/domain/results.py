"""The outputs of a finished prompt, each with the name that it is stored under."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from rushes.domain.comfy import ComfyFile
from rushes.domain.graph_outputs import NodeOutput, order_outputs, stored_name
from rushes.domain.history import ComfyOutput, collect
from rushes.domain.workflow import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file of ComfyUI's, and its name in the job's folder."""

    stored_as: str
    node_id: str
    item: int | None
    file: ComfyFile


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedText:
    """A text output; `item` is the number (from 1) of the list item it was made for."""

    name: str
    node_id: str
    item: int | None
    text: str

    def as_json(self) -> dict[str, Any]:
        shown = {"node_id": self.node_id, "name": self.name, "text": self.text}
        return shown if self.item is None else {**shown, "item": self.item}


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that a prompt made: the manifest's order first, then node order."""

    files: list[NamedFile]
    texts: list[NamedText]


def name_results(workflow: Workflow, graph_name: str, entry: Mapping[str, Any], *, attempt: int) -> Results:
    """Name and order what a history entry lists."""
    made: dict[str, list[ComfyOutput]] = {}
    for output in collect(entry):
        made.setdefault(output.node_id, []).append(output)
    nodes = order_outputs(workflow.manifest, graph_name, made)
    files = [(node, output.file) for node in nodes for output in made[node.node_id] if output.file]
    texts = [
        NamedText(name=node.name, node_id=node.node_id, item=node.item, text=output.text)
        for node in nodes
        for output in made[node.node_id]
        if output.text is not None
    ]
    return Results(_numbered(files, attempt), texts)


def _numbered(files: list[tuple[NodeOutput, ComfyFile]], attempt: int) -> list[NamedFile]:
    totals = Counter(node.name for node, _ in files)
    seen: Counter[str] = Counter()
    named: list[NamedFile] = []
    for node, file in files:
        seen[node.name] += 1
        name = stored_name(
            node.name,
            number=seen[node.name],
            count=totals[node.name],
            extension=file.filename.rpartition(".")[2] if "." in file.filename else "",
            attempt=attempt,
        )
        taken = {one.stored_as for one in named}
        named.append(NamedFile(stored_as=_free(name, taken), node_id=node.node_id, item=node.item, file=file))
    return named


def _free(name: str, taken: set[str]) -> str:
    """The second picture of one node and the only one of node 2 would both be output_2."""
    stem, dot, extension = name.partition(".")
    names = chain([name], (f"{stem}_{number}{dot}{extension}" for number in count(2)))
    return next(one for one in names if one not in taken)
