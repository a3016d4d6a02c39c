"""Node definitions as /object_info tells them, and the inputs a given node really has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rushes.testing.comfyui.generation import Generation, recorded_object_info
from rushes.testing.comfyui.nodes import NODES
from rushes.testing.comfyui.nodes.demo import PREFIX


@dataclass(frozen=True)
class Input:
    """One declared input; `kind` is a type's name or the list of choices."""

    name: str
    kind: Any
    extra: dict[str, Any]
    required: bool

    @property
    def is_dynamic(self) -> bool:
        """Whether its value decides which further inputs there are; never reported as missing."""
        return bool(self.kind == "COMFY_DYNAMICCOMBO_V3")

    def option(self, value: Any) -> dict[str, Any] | None:
        """The option of a dynamic input that the value picks."""
        return next((option for option in self.extra["options"] if option["key"] == value), None)

    @property
    def config(self) -> list[Any]:
        """As ComfyUI repeats it in its errors."""
        return [self.kind, self.extra]

    @property
    def choices(self) -> list[Any] | None:
        """What a combo accepts; None for anything else."""
        if isinstance(self.kind, list):
            return self.kind
        return list(self.extra.get("options", [])) if self.kind == "COMBO" else None


@dataclass(frozen=True)
class Definition:
    """One node class of this server."""

    class_type: str
    raw: Mapping[str, Any]

    @property
    def outputs(self) -> list[Any]:
        return list(self.raw["output"])

    @property
    def is_output_node(self) -> bool:
        return bool(self.raw["output_node"])

    def gives_list(self, slot: int) -> bool:
        """Whether that output is a list of values rather than one."""
        flags = self.raw.get("output_is_list") or []
        return slot < len(flags) and bool(flags[slot])

    @property
    def knows_its_id(self) -> bool:
        """Whether the node is told its own id, which makes its results belong to that id alone."""
        hidden = self.raw["input"].get("hidden", {})
        return any("UNIQUE_ID" in str(kind) for kind in hidden.values())

    def inputs(self, given: Mapping[str, Any]) -> dict[str, Input]:
        """The declared inputs; those of dynamic kinds as the given values unfold them."""
        found: dict[str, Input] = {}
        for section in ("required", "optional"):
            for one in _declared(self.raw["input"].get(section, {}), section == "required"):
                found |= {each.name: each for each in _unfolded(one, given)}
        return found


def _declared(section: Mapping[str, Any], required: bool, prefix: str = "") -> Iterator[Input]:
    for name, config in section.items():
        extra = dict(config[1]) if len(config) > 1 else {}
        yield Input(prefix + name, config[0], extra, required)


def _unfolded(one: Input, given: Mapping[str, Any]) -> Iterator[Input]:
    if one.kind == "COMFY_AUTOGROW_V3":
        yield from _grown(one, given)
        return
    yield one
    if one.kind == "COMFY_DYNAMICCOMBO_V3":
        chosen = [option for option in one.extra["options"] if option["key"] == given.get(one.name)]
        for section in ("required", "optional") if chosen else ():
            for inner in _declared(
                chosen[0]["inputs"].get(section, {}), section == "required", f"{one.name}."
            ):
                yield from _unfolded(inner, given)


def _grown(one: Input, given: Mapping[str, Any]) -> Iterator[Input]:
    template = one.extra["template"]
    names = template.get("names") or [f"{template['prefix']}{i}" for i in range(template.get("max", 100))]
    inner = next(_declared(template["input"].get("required") or template["input"]["optional"], True))
    for index, name in enumerate(names):
        full = f"{one.name}.{name}"
        if index < template.get("min", 0) or full in given:
            yield Input(full, inner.kind, inner.extra, one.required and index < template.get("min", 0))


class Catalogue:
    """The node classes one server offers: those it executes, as its version declares them."""

    def __init__(self, generation: Generation, *, extra_nodes: bool) -> None:
        recorded = recorded_object_info(generation.version)
        self._definitions = {
            class_type: Definition(class_type, node.definition or recorded[class_type])
            for class_type, node in NODES.items()
            if (class_type in recorded or (extra_nodes and class_type.startswith(PREFIX)))
        }

    def __getitem__(self, class_type: str) -> Definition:
        return self._definitions[class_type]

    def get(self, class_type: object) -> Definition | None:
        """The class of that name, or None."""
        return self._definitions.get(class_type) if isinstance(class_type, str) else None

    def __iter__(self) -> Iterator[Definition]:
        return iter(self._definitions.values())


def accepts(received: Any, wanted: Any) -> bool:
    """Whether a link of one type may enter an input of another."""
    if received == wanted:
        return True
    if not isinstance(received, str) or not isinstance(wanted, str):
        return False
    given, taken = _names(received), _names(wanted)
    return "*" in given or "*" in taken or bool(given & taken)


def _names(kind: str) -> set[str]:
    names = {name.strip() for name in kind.split(",")}
    return {"*"} if "COMFY_MATCHTYPE_V3" in names else names
