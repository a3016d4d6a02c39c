"""Which node's results are which output, in which order, under which name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rushes.domain.workflow_manifest import Manifest, Output, OutputKind

_COPY = re.compile(r"^(.+)_(\d+)$")
_UNSAFE = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class NodeOutput:
    """The results of one node: `item` is the number (from 1) of the list item it was made for."""

    node_id: str
    name: str
    kind: OutputKind | None
    item: int | None
    declared: bool


def order_outputs(manifest: Manifest, graph_name: str, node_ids: Iterable[str]) -> list[NodeOutput]:
    """The nodes of a history entry's outputs, in the manifest's order and then in node order."""
    places = {output.node_in(graph_name): index for index, output in enumerate(manifest.outputs)}

    def place(node_id: str) -> tuple[int, int, tuple[int, str]]:
        template, item = item_of(manifest, graph_name, node_id)
        return places.get(template, len(places)), item or 0, _numeric(template)

    return [_described(manifest, graph_name, node_id) for node_id in sorted(node_ids, key=place)]


def stored_name(name: str, *, number: int, count: int, extension: str, attempt: int = 1) -> str:
    """The stored file's name: numbered if there are several, with -n from the second attempt on.

    `extension` is without its dot; `number` counts from 1.
    """
    numbered = f"{name}_{number}" if count > 1 else name
    retried = f"{numbered}-{attempt}" if attempt > 1 else numbered
    suffix = _UNSAFE.sub("", extension.lower())[:10]
    return f"{retried}.{suffix}" if suffix else retried


def stored_input_name(manifest: Manifest, path: tuple[str | int, ...], extension: str) -> str:
    """The stored name of the input file at a path of `file_fields`: input_image.png, mask_2.png."""
    field = manifest.input(str(path[0]))
    if field is None:
        raise KeyError(path[0])
    number = next((step + 1 for step in path if isinstance(step, int)), None)
    inner = next((one for one in field.fields if one.name == path[-1]), field)
    name = inner.stored_as or inner.name
    suffix = _UNSAFE.sub("", extension.lower())[:10]
    stem = name if number is None else f"{name}_{number}"
    return f"{stem}.{suffix}" if suffix else stem


def item_of(manifest: Manifest, graph_name: str, node_id: str) -> tuple[str, int | None]:
    """A node's id in the template, and the number of the item it was copied for (None outside fragments)."""
    repeated = {
        node
        for fragment in manifest.fragments_of(graph_name)
        for node in (*fragment.nodes, *(join.node for join in fragment.join))
    }
    if node_id in repeated:
        return node_id, 1
    match = _COPY.match(node_id)
    if match and match[1] in repeated:
        return match[1], int(match[2])
    return node_id, None


def output_of(manifest: Manifest, graph_name: str, template_node: str) -> Output | None:
    """The declared output that a template node makes."""
    return next((one for one in manifest.outputs if one.node_in(graph_name) == template_node), None)


def _described(manifest: Manifest, graph_name: str, node_id: str) -> NodeOutput:
    template, item = item_of(manifest, graph_name, node_id)
    output = output_of(manifest, graph_name, template)
    if output is None:
        return NodeOutput(node_id, "output_" + _UNSAFE.sub("_", node_id.lower()), None, item, declared=False)
    return NodeOutput(node_id, output.file_stem, output.kind, item, declared=True)


def _numeric(node_id: str) -> tuple[int, str]:
    digits = node_id.rpartition(":")[2]
    return (int(digits) if digits.isdecimal() else 10**9, node_id)
