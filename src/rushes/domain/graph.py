"""Put inputs into a graph: on the parsed tree, typed, never by replacing text."""

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from rushes.domain.deriving import derive
from rushes.domain.errors import InvalidInput
from rushes.domain.fields import Bound, InputField, Target
from rushes.domain.graph_fragments import ItemValue, expand
from rushes.domain.graph_outputs import item_of, output_of
from rushes.domain.graph_values import drop_nodes, put
from rushes.domain.workflow import Graph, Workflow
from rushes.domain.workflow_manifest import Fragment, graph_stem

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def bind(
    workflow: Workflow,
    graph_name: str,
    inputs: Mapping[str, Any],
    *,
    files: Mapping[str, str],
    job_id: str,
) -> Graph:
    """The exact graph to send for validated inputs; the template stays as it is.

    `files` maps object keys to the names that the server gave the uploads.
    Raises InvalidInput if a value can't be worked out or a file is missing.
    """
    graph = deepcopy(workflow.graph(graph_name))
    values = {**inputs, **derive(workflow.manifest.derived, inputs, graph_stem(graph_name))}
    binding = _Binding(workflow, graph_name, values, files)
    binding.scalars(graph)
    for fragment in workflow.manifest.fragments_of(graph_name):
        graph = expand(graph, fragment, binding.items(fragment))
    _prefix_files(graph, workflow, graph_name, job_id)
    return graph


class _Binding:
    def __init__(
        self, workflow: Workflow, graph_name: str, values: Mapping[str, Any], files: Mapping[str, str]
    ) -> None:
        self.manifest = workflow.manifest
        self.graph_name = graph_name
        self.values = values
        self.files = files

    def scalars(self, graph: Graph) -> None:
        """Everything that does not belong to an item of a list."""
        derived = [one for one in self.manifest.derived if one.each is None and one.name in self.values]
        fields = [field for field in self.manifest.inputs if not field.is_list]
        dropped: set[str] = set()
        for target, value in self._aimed([*fields, *derived], self.values, ""):
            put(graph[target.node], target, value)
            dropped |= set(target.drop if value is None else ())
        drop_nodes(graph, dropped)

    def items(self, fragment: Fragment) -> list[list[ItemValue]]:
        """For each repetition, what goes where."""
        over = self.values[fragment.over]
        items = over if isinstance(over, list) else [None] * int(over)
        shares = [
            one for one in self.manifest.derived if one.each == fragment.over and one.name in self.values
        ]
        return [
            [
                *self._item(fragment.over, index, item),
                *self._aimed(shares, {one.name: self.values[one.name][index] for one in shares}, ""),
            ]
            for index, item in enumerate(items)
        ]

    def _item(self, name: str, index: int, item: Any) -> list[ItemValue]:
        field = self.manifest.input(name)
        if field is None:
            return []
        if field.kind == "group":
            return self._aimed(field.fields, item, f"{name}.{index}.")
        return self._aimed([field], {name: item}, f"{name}.{index}.")

    def _aimed(
        self, bound: Iterable[Bound], values: Mapping[str, Any], where: str
    ) -> list[tuple[Target, Any]]:
        return [
            (target, self._sent(one, values[one.name], target, where))
            for one in bound
            for target in one.targets(self.graph_name)
        ]

    def _sent(self, one: Bound, value: Any, target: Target, where: str) -> Any:
        """The value as the node takes it: a file by its name on the server, a side of a size."""
        if value is None:
            return None
        if isinstance(one, InputField) and (one.is_file or one.kind == "image_list"):
            if value["key"] not in self.files:
                raise InvalidInput(
                    {
                        where + one.name
                        if one.is_file
                        else where[:-1]: "its file is not on the server; upload it again"
                    }
                )
            return self.files[value["key"]]
        return value[target.part] if target.part is not None else value


def _prefix_files(graph: Graph, workflow: Workflow, graph_name: str, job_id: str) -> None:
    """Files of one job stay apart from every other's, and equal graphs really run again."""
    for node_id, node in graph.items():
        if "filename_prefix" in node["inputs"]:
            template, item = item_of(workflow.manifest, graph_name, node_id)
            output = output_of(workflow.manifest, graph_name, template)
            stem = output.file_stem if output is not None else _UNSAFE.sub("-", template)
            suffix = f"_{item}" if item is not None and item > 1 else ""
            node["inputs"]["filename_prefix"] = f"rushes/{job_id}/{stem}{suffix}"
