"""A workflow type: its manifest and its graphs, as declared in its folder."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError

from rushes.domain.errors import InvalidWorkflow
from rushes.domain.fields import InputField
from rushes.domain.workflow_manifest import Manifest
from rushes.domain.workflow_rules import manifest_problems

Graph = dict[str, dict[str, Any]]

TYPE_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,62}$")


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow type, ready to use. `graphs` is by file name and never changed."""

    type: str
    manifest: Manifest
    graphs: Mapping[str, Graph]
    version: str
    picture: PurePath | None = field(default=None, compare=False)

    def graph(self, name: str = "workflow.json") -> Graph:
        """The template; raises InvalidWorkflow if this type has no graph of that name."""
        if name not in self.graphs:
            have = ", ".join(sorted(self.graphs))
            raise InvalidWorkflow(f"{self.type} has no {name}; it has {have}")
        return self.graphs[name]


def parse_workflow(
    type_name: str,
    manifest: Mapping[str, Any],
    graphs: Mapping[str, Any],
    picture: PurePath | None = None,
) -> Workflow:
    """A workflow type from its parsed files; raises InvalidWorkflow with every problem found."""
    problems = list(_name_problems(type_name))
    for name, graph in graphs.items():
        problems += [f"{name}: {problem}" for problem in graph_problems(graph)]
    if not graphs:
        problems.append("there is no workflow.json: put the graph in API format there")
    try:
        parsed = Manifest.model_validate(dict(manifest))
    except ValidationError as error:
        problems += [f"manifest.toml: {text}" for text in _readable(error)]
        raise _invalid(type_name, problems) from None
    if not problems:
        problems += manifest_problems(parsed, graphs)
    if problems:
        raise _invalid(type_name, problems)
    return Workflow(type_name, parsed, dict(graphs), content_version(manifest, graphs), picture)


def content_version(manifest: Mapping[str, Any], graphs: Mapping[str, Any]) -> str:
    """16 hex digits that change whenever the manifest or a graph does."""
    text = json.dumps([manifest, graphs], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def prompt_text(manifest: Manifest, inputs: Mapping[str, Any]) -> str:
    """The declared prompt inputs, one a line: what search reads."""
    return "\n".join(text for text in _prompts(manifest.inputs, inputs) if text)


def graph_problems(graph: Any) -> list[str]:
    """Why this is not a graph in API format; empty if it is one."""
    if isinstance(graph, Mapping) and isinstance(graph.get("nodes"), list):
        return [
            "is in ComfyUI's UI format, which can't be run; open it in ComfyUI, choose "
            "Workflow > Export (API) and use that file"
        ]
    if not isinstance(graph, Mapping) or not graph:
        return ["should be an object of nodes by id, as ComfyUI's Workflow > Export (API) writes it"]
    return [text for node_id, node in graph.items() for text in _node_problems(node_id, node)]


def _node_problems(node_id: Any, node: Any) -> Iterator[str]:
    if not isinstance(node, Mapping) or not isinstance(node.get("class_type"), str):
        yield f"node {node_id} has no class_type; export the graph again with Workflow > Export (API)"
    elif not isinstance(node.get("inputs"), Mapping):
        yield f"node {node_id} has no inputs object"


def _prompts(fields: tuple[InputField, ...], values: Any) -> Iterator[str]:
    if not isinstance(values, Mapping):
        return
    for one in fields:
        value = values.get(one.name)
        if one.kind == "group" and isinstance(value, list):
            for item in value:
                yield from _prompts(one.fields, item)
        elif one.is_prompt and isinstance(value, str):
            yield value


def _name_problems(type_name: str) -> Iterator[str]:
    if not TYPE_NAME.match(type_name):
        yield f"the name {type_name!r} is not usable: take 1 to 63 of a-z, 0-9 and - (not first)"


def _readable(error: ValidationError) -> list[str]:
    return [f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors()]


def _invalid(type_name: str, problems: list[str]) -> InvalidWorkflow:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return InvalidWorkflow(f"{type_name}: {problems[0]}{more}", details={"problems": problems})
