"""Do the declared inputs fit the node inputs they are bound to?"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from rushes.domain.fields import InputField, Target
from rushes.domain.node_specs import InputSpec, ObjectInfo, node_spec
from rushes.domain.workflow_manifest import Manifest
from rushes.domain.workflow_rules import read_by

Found = tuple[Literal["error", "warning"], str | None, str]

_TYPES: dict[str, frozenset[str]] = {
    "string": frozenset({"STRING", "COMBO"}),
    "text": frozenset({"STRING"}),
    "integer": frozenset({"INT", "FLOAT"}),
    "seed": frozenset({"INT"}),
    "number": frozenset({"FLOAT"}),
    "duration": frozenset({"FLOAT"}),
    "resolution": frozenset({"INT", "FLOAT"}),
    "boolean": frozenset({"BOOLEAN"}),
    "select": frozenset({"COMBO", "STRING", "INT", "FLOAT", "BOOLEAN"}),
    "file": frozenset({"COMBO", "STRING"}),
}
_UPLOADED = {"image": "image", "mask": "image", "image_list": "image", "video": "video", "audio": "audio"}


def binding_problems(
    manifest: Manifest, graph_name: str, graph: Mapping[str, Any], object_info: ObjectInfo
) -> Iterator[Found]:
    """Level, node and message of every binding that the node's own definition contradicts."""
    read = {name.partition(".")[0] for one in manifest.derived for name in read_by(one)}
    read |= {one.each for one in manifest.derived if one.each} | {one.over for one in manifest.fragments}
    for field in manifest.inputs:
        if not _targets(field, graph_name) and field.name not in read:
            yield "warning", None, f"the input {field.name} goes nowhere in this graph"
        for one in (field, *field.fields):
            for target in one.targets(graph_name):
                yield from _target_problems(one, target, graph, object_info)


def _targets(field: InputField, graph_name: str) -> list[Target]:
    return [target for one in (field, *field.fields) for target in one.targets(graph_name)]


def _target_problems(
    field: InputField, target: Target, graph: Mapping[str, Any], object_info: ObjectInfo
) -> Iterator[Found]:
    node = graph[target.node]
    definition = object_info.get(node["class_type"])
    if definition is None or len(target.path) > 1:
        return
    name = str(target.path[0])
    spec = node_spec(definition, node["inputs"]).input(name)
    if spec is None:
        yield "error", target.node, f"{field.name}: {node['class_type']} has no input {name}"
        return
    for fault in (_type_fault(field, spec), _range_fault(field, spec), _options_fault(field, spec)):
        if fault is not None:
            yield "error", target.node, f"{field.name}: {node['class_type']}.{name} {fault}"


def _type_fault(field: InputField, spec: InputSpec) -> str | None:
    wanted = _UPLOADED.get(field.kind)
    if wanted is not None:
        if spec.upload in {wanted, None} and spec.type in {"COMBO", "STRING"}:
            return None
        return f"takes no uploaded {wanted}"
    if spec.type in {"*", *_TYPES[field.kind]}:
        return None
    return f"is {spec.type}, which a {field.kind} doesn't fit"


def _range_fault(field: InputField, spec: InputSpec) -> str | None:
    if spec.type not in {"INT", "FLOAT"} or field.kind not in {"integer", "number", "seed", "resolution"}:
        return None
    low, high = field.range
    least, most = spec.config.get("min"), spec.config.get("max")
    if least is not None and low < least:
        return f"takes {least} and more, but the input allows {low}; set its min"
    if most is not None and high > most:
        return f"takes at most {most}, but the input allows {high}; set its max"
    return None


def _options_fault(field: InputField, spec: InputSpec) -> str | None:
    if field.kind != "select" or not spec.options:
        return None
    strange = [str(option.value) for option in field.options if option.value not in spec.options]
    return f"has no option {', '.join(strange)}" if strange else None
