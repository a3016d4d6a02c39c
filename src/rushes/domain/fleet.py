"""What a job needs of a server, what a server has, and in words what is missing where."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rushes.domain.fields import InputField
from rushes.domain.graph import bind
from rushes.domain.node_specs import ObjectInfo
from rushes.domain.requirements import ModelFile, Requirements, is_model_file, requirements
from rushes.domain.workflow import Graph, Workflow

NAMED_AT_MOST = 5
_NODE = "the node "


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one kind of job needs. Jobs of equal digest run on the same servers.

    `model_set` stands for the model files alone, None where there are none: no server has to load anything.
    """

    digest: str
    workflow_type: str
    requirements: Requirements
    model_set: str | None

    def classes(self) -> list[str]:
        return sorted(self.requirements.classes)

    def models(self) -> list[dict[str, str]]:
        return [
            {"class_type": one.class_type, "input": one.input, "name": one.name}
            for one in sorted(self.requirements.models)
        ]


def need_of(workflow: Workflow, graph_name: str, inputs: Mapping[str, Any]) -> Need:
    """What a job with these validated inputs needs. Raises InvalidInput where they can't be bound."""
    quiet = _without_texts(workflow.manifest.inputs, inputs)
    files = dict.fromkeys(_keys(inputs), "input")
    return need_of_graph(workflow.type, bind(workflow, graph_name, quiet, files=files, job_id="need"))


def need_of_graph(workflow_type: str, graph: Graph) -> Need:
    """What a graph needs as it stands."""
    wanted = requirements(graph)
    models = [[one.class_type, one.input, one.name] for one in sorted(wanted.models)]
    names = sorted({one.name for one in wanted.models})
    return Need(
        digest=_digest([workflow_type, sorted(wanted.classes), models]),
        workflow_type=workflow_type,
        requirements=wanted,
        model_set=_digest(names) if names else None,
    )


def need_from(
    digest: str,
    workflow_type: str,
    classes: Sequence[str],
    models: Sequence[Mapping[str, str]],
    model_set: str | None,
) -> Need:
    """A need as it was stored."""
    files = frozenset(ModelFile(m["class_type"], m["input"], m["name"]) for m in models)
    return Need(
        digest=digest,
        workflow_type=workflow_type,
        requirements=Requirements(frozenset(classes), files),
        model_set=model_set,
    )


def reduced(object_info: ObjectInfo) -> dict[str, Any]:
    """An object_info with what `missing_on` reads: classes, and the model files that each input offers."""
    return {
        name: {
            "input": {
                section: {key: _offer(raw) for key, raw in (definition["input"].get(section) or {}).items()}
                for section in ("required", "optional")
                if definition["input"].get(section)
            }
        }
        for name, definition in object_info.items()
        if isinstance(definition, Mapping) and isinstance(definition.get("input"), Mapping)
    }


def catalog_digest(nodes: Mapping[str, Any]) -> str:
    """Equal for servers that have the same nodes and models."""
    return _digest(nodes)


def missing_names(missing: Requirements) -> list[str]:
    """What is missing, as people call it: node classes, then model files."""
    return [_NODE + name for name in sorted(missing.classes)] + sorted({m.name for m in missing.models})


@dataclass(frozen=True, slots=True)
class Lack:
    """What one server lacks."""

    server: str
    missing: tuple[str, ...]


def in_words(lacks: Sequence[Lack]) -> str:
    """Why no server can run it: what all of them lack, else what each one lacks."""
    if not lacks:
        return "No ComfyUI server is connected."
    common = [name for name in lacks[0].missing if all(name in lack.missing for lack in lacks)]
    if common:
        verb = "is" if len(common) == 1 else "are"
        return (
            f"{listed(common)} {verb} on no connected server. Install it there, or add a server that has it."
        )
    each = "; ".join(f"{lack.server} lacks {listed(lack.missing)}" for lack in lacks[:NAMED_AT_MOST])
    return f"No connected server has everything: {each}."


def listed(names: Sequence[str]) -> str:
    """ "The nodes A, B and 2 more, c.safetensors"."""
    nodes = [name.removeprefix(_NODE) for name in names if name.startswith(_NODE)]
    files = [name for name in names if not name.startswith(_NODE)]
    parts = [f"{'the nodes' if len(nodes) > 1 else 'the node'} {_few(nodes)}"] if nodes else []
    parts += [_few(files)] if files else []
    text = ", ".join(parts)
    if not text:
        return ""
    return text[0].upper() + text[1:] if nodes else text


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED_AT_MOST])
    return f"{shown} and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else shown


def _offer(raw: Any) -> list[Any]:
    """An input's type; its options only where they are model files, or none at all."""
    if not isinstance(raw, list) or not raw:
        return ["*"]
    config = raw[1] if len(raw) > 1 and isinstance(raw[1], Mapping) else {}
    options = raw[0] if isinstance(raw[0], list) else config.get("options")
    kind = "COMBO" if isinstance(raw[0], list) else raw[0]
    if kind != "COMBO" or not isinstance(options, list):
        return [kind]
    models = [option for option in options if is_model_file(option)]
    return [kind, {"options": models}] if models or not options else [kind]


def _without_texts(fields: Sequence[InputField], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs without free texts: a prompt that names a file must not look like a model."""
    quiet = dict(inputs)
    for field in fields:
        value = inputs.get(field.name)
        if field.kind in ("string", "text") and isinstance(value, str):
            quiet[field.name] = ""
        elif field.kind == "group" and isinstance(value, list):
            quiet[field.name] = [_without_texts(field.fields, item) for item in value]
    return quiet


def _keys(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        own = {value["key"]} if isinstance(value.get("key"), str) else set()
        return own.union(*(_keys(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(_keys(one) for one in value))
    return set()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]
