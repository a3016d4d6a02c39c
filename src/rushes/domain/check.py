"""Hold a workflow type against what nodes really take: a server's `object_info`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from rushes.domain.check_bindings import binding_problems
from rushes.domain.check_samples import sample_inputs
from rushes.domain.errors import InvalidInput
from rushes.domain.fields import GRAPHS
from rushes.domain.graph import bind
from rushes.domain.node_specs import InputSpec, NodeSpec, ObjectInfo, fits, node_spec
from rushes.domain.requirements import is_model_file
from rushes.domain.workflow import Graph, Workflow
from rushes.domain.workflow_rules import is_link

Level = Literal["error", "warning", "not_proved"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: an error can't work, a warning may surprise, not_proved could not be looked at."""

    level: Level
    graph: str
    node: str | None
    message: str

    def __str__(self) -> str:
        where = f"{self.graph} node {self.node}" if self.node else self.graph
        return f"{where}: {self.message}"


def check_workflow(workflow: Workflow, object_info: ObjectInfo) -> list[Problem]:
    """Everything found in all graphs, errors first; an empty list is a clean bill."""
    found: dict[Problem, None] = {}
    for stem in GRAPHS:
        name = f"{stem}.json"
        if name not in workflow.graphs:
            found[Problem("warning", name, None, "is missing, so there is nothing to run without models")] = (
                None
            )
            continue
        problems = [*_outputs(workflow, name, object_info), *_bound_inputs(workflow, name, object_info)]
        for graph in _samples(workflow, name):
            problems += check_graph(graph, object_info, name, _custom_classes(workflow, stem))
        found |= dict.fromkeys(problems)
    order = {"error": 0, "warning": 1, "not_proved": 2}
    return sorted(found, key=lambda one: (order[one.level], one.graph))


def check_graph(
    graph: Graph,
    object_info: ObjectInfo,
    name: str = "workflow.json",
    custom: Mapping[str, str] | None = None,
) -> list[Problem]:
    """What is wrong with one graph as it stands; `custom` is package by class, for classes not known here."""
    unknown = {
        node["class_type"]: node_id
        for node_id, node in graph.items()
        if node["class_type"] not in object_info
    }
    found = [Problem("not_proved", name, None, text) for text in _not_proved(unknown, custom or {})]
    for node_id, node in graph.items():
        definition = object_info.get(node["class_type"])
        if definition is None:
            if node["class_type"] not in (custom or {}):
                found.append(Problem("error", name, node_id, _unknown_class(node["class_type"], object_info)))
            continue
        spec = node_spec(definition, node["inputs"])
        for level, message in _node(node["inputs"], spec, graph, object_info):
            found.append(Problem(level, name, node_id, f"{node['class_type']}: {message}"))
    if not any((object_info.get(node["class_type"]) or {}).get("output_node") for node in graph.values()):
        found.append(Problem("error", name, None, "has no output node, such as SaveImage or SaveVideo"))
    return found


def _node(
    inputs: Mapping[str, Any], spec: NodeSpec, graph: Graph, object_info: ObjectInfo
) -> Iterator[tuple[Level, str]]:
    for name, one in spec.inputs.items():
        if one.required and name not in inputs:
            yield "error", f"the required input {name} is missing"
    for name, value in inputs.items():
        known = spec.input(name)
        if is_link(value):
            if (fault := _link_fault(value, known, graph, object_info)) is not None:
                yield "error", f"{name} {fault}"
        elif known is not None and (finding := _value_finding(known, value)) is not None:
            yield finding[0], f"{name} {finding[1]}"


def _link_fault(
    link: list[Any], known: InputSpec | None, graph: Graph, object_info: ObjectInfo
) -> str | None:
    source, slot = link
    if source not in graph:
        return f"is linked to node {source}, which is not there"
    definition = object_info.get(graph[source]["class_type"])
    if definition is None:
        return None
    outputs = node_spec(definition, {}).outputs
    if not 0 <= slot < len(outputs):
        return f"is linked to output {slot} of node {source}, which has {len(outputs)}"
    if known is not None and not fits(outputs[slot], known.type):
        return f"wants {known.type}, but output {slot} of node {source} gives {outputs[slot]}"
    return None


def _value_finding(spec: InputSpec, value: Any) -> tuple[Level, str] | None:
    if spec.options is not None:
        return _option_finding(spec, value)
    wanted = {"INT": (int,), "FLOAT": (int, float), "BOOLEAN": (bool,), "STRING": (str,)}.get(spec.type)
    if wanted is None:
        return None if spec.is_value else ("error", f"wants a link to {spec.type}, not {value!r}"[:200])
    if not isinstance(value, wanted) or (isinstance(value, bool) and spec.type != "BOOLEAN"):
        return "error", f"wants {spec.type}, not {value!r}"[:200]
    low, high = spec.config.get("min"), spec.config.get("max")
    if spec.type in {"INT", "FLOAT"} and (
        (low is not None and value < low) or (high is not None and value > high)
    ):
        return "error", f"is {value}, but may be {low} to {high}"
    return None


def _option_finding(spec: InputSpec, value: Any) -> tuple[Level, str] | None:
    options = spec.options or ()
    if spec.upload or not options or value in options:
        return None
    if is_model_file(value) and not any(map(is_model_file, options)):
        return None  # recorded on a server without models
    if is_model_file(value):
        return "warning", f"names {value}, which this server doesn't have"
    shown = ", ".join(map(str, options[:12]))
    return "error", f"is {value!r}, which is not one of {shown}"


def _outputs(workflow: Workflow, name: str, object_info: ObjectInfo) -> Iterator[Problem]:
    graph = workflow.graph(name)
    for output in workflow.manifest.outputs:
        node = output.node_in(name)
        definition = object_info.get(graph[node]["class_type"]) if node in graph else None
        if definition is not None and not definition.get("output_node"):
            kind = graph[node or ""]["class_type"]
            yield Problem(
                "error", name, node, f"output {output.name}: {kind} saves nothing; name the node that does"
            )


def _bound_inputs(workflow: Workflow, name: str, object_info: ObjectInfo) -> Iterable[Problem]:
    return [
        Problem(level, name, node, message)
        for level, node, message in binding_problems(
            workflow.manifest, name, workflow.graph(name), object_info
        )
    ]


def _samples(workflow: Workflow, name: str) -> Iterator[Graph]:
    """The template, and the graph with ordinary, small and large inputs: each must be sound."""
    yield workflow.graph(name)
    for inputs, files in sample_inputs(workflow.manifest):
        try:
            yield bind(workflow, name, inputs, files=files, job_id="check")
        except InvalidInput:
            continue  # a derived limit: submission refuses it in the same words


def _custom_classes(workflow: Workflow, stem: str) -> dict[str, str]:
    return {
        one: requirement.package
        for requirement in workflow.manifest.requires
        if requirement.graph == stem
        for one in requirement.classes
    }


def _not_proved(unknown: Iterable[str], custom: Mapping[str, str]) -> Iterator[str]:
    packages = sorted({custom[one] for one in unknown if one in custom})
    for package in packages:
        classes = ", ".join(sorted(one for one in unknown if custom.get(one) == package))
        yield f"could not be checked as far as it uses {package}: {classes}"


def _unknown_class(class_type: str, object_info: ObjectInfo) -> str:
    near = get_close_matches(class_type, object_info, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return (
        f"there is no node class {class_type}{hint}; name its package in [[requires]] if it is a custom node"
    )
