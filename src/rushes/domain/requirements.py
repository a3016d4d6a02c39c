"""What a server must have to run a graph: node classes and model files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rushes.domain.node_specs import ObjectInfo, node_spec

_MODEL_ENDINGS = (
    ".safetensors",
    ".sft",
    ".ckpt",
    ".pt",
    ".pt2",
    ".pth",
    ".bin",
    ".gguf",
    ".onnx",
    ".pkl",
    ".engine",
)


@dataclass(frozen=True, slots=True, order=True)
class ModelFile:
    """A model file that a node names."""

    class_type: str
    input: str
    name: str


@dataclass(frozen=True, slots=True)
class Requirements:
    """Node classes and model files that a graph names."""

    classes: frozenset[str]
    models: frozenset[ModelFile]

    def missing_on(self, object_info: ObjectInfo) -> "Requirements":
        """What of it that server doesn't have. A class that is missing hides what its models are."""
        classes = frozenset(one for one in self.classes if one not in object_info)
        models = frozenset(one for one in self.models if _is_missing(one, object_info))
        return Requirements(classes, models)

    def __bool__(self) -> bool:
        return bool(self.classes or self.models)


def requirements(graph: Mapping[str, Any], object_info: ObjectInfo | None = None) -> Requirements:
    """What the graph needs; with `object_info`, a file name counts only where the node has a choice."""
    return Requirements(
        frozenset(node["class_type"] for node in graph.values()),
        frozenset(_models(graph.values(), object_info)),
    )


def is_model_file(value: object) -> bool:
    """True for a text that ends as model files do."""
    return isinstance(value, str) and value.lower().endswith(_MODEL_ENDINGS)


def _models(nodes: Iterable[Mapping[str, Any]], object_info: ObjectInfo | None) -> Iterator[ModelFile]:
    for node in nodes:
        definition = (object_info or {}).get(node["class_type"])
        spec = node_spec(definition, node["inputs"]) if definition else None
        for name, value in node["inputs"].items():
            known = spec.input(name) if spec is not None else None
            if is_model_file(value) and (known is None or known.options is not None):
                yield ModelFile(node["class_type"], name, value)


def _is_missing(model: ModelFile, object_info: ObjectInfo) -> bool:
    definition = object_info.get(model.class_type)
    if definition is None:
        return False
    spec = node_spec(definition, {}).input(model.input)
    if spec is None or spec.options is None:
        return False
    have = {str(option).replace("\\", "/") for option in spec.options}
    return model.name.replace("\\", "/") not in have
