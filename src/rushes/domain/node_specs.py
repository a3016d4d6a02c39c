"""What a node class takes and gives, read from a server's `object_info`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ObjectInfo = Mapping[str, Any]

_UPLOADS = {"image_upload": "image", "video_upload": "video", "audio_upload": "audio"}


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a node: its type, its options where it is a choice, its limits."""

    type: str
    required: bool
    options: tuple[Any, ...] | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def upload(self) -> str | None:
        """image, video or audio, where the input names an uploaded file."""
        return next((kind for key, kind in _UPLOADS.items() if self.config.get(key)), None)

    @property
    def is_value(self) -> bool:
        """True if a literal may stand here."""
        return self.type in {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "*", ""}


@dataclass(frozen=True, slots=True)
class AnyInputs:
    """A growing input: `images.image0`, `images.image1` …"""

    prefix: str
    names: tuple[str, ...] | None
    spec: InputSpec

    def matches(self, name: str) -> bool:
        """True if it is one of the growing names."""
        if self.names is not None:
            return name in self.names
        return name.startswith(self.prefix) and name[len(self.prefix) :].isdecimal()


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node class with the inputs that it has for the choices made."""

    inputs: Mapping[str, InputSpec]
    growing: tuple[AnyInputs, ...]
    outputs: tuple[str, ...]
    is_output: bool

    def input(self, name: str) -> InputSpec | None:
        """The input of that name, a grown one too."""
        return self.inputs.get(name) or next((one.spec for one in self.growing if one.matches(name)), None)


def node_spec(definition: Mapping[str, Any], chosen: Mapping[str, Any]) -> NodeSpec:
    """The specification of a node whose literal inputs are `chosen` (they decide which inputs there are)."""
    inputs: dict[str, InputSpec] = {}
    growing: list[AnyInputs] = []
    for name, one in _walk(definition.get("input") or {}, chosen, ""):
        if isinstance(one, AnyInputs):
            growing.append(one)
        else:
            inputs[name] = one
    outputs = tuple("COMBO" if isinstance(one, list) else str(one) for one in definition.get("output") or ())
    return NodeSpec(inputs, tuple(growing), outputs, bool(definition.get("output_node")))


def _walk(
    declared: Mapping[str, Any], chosen: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, InputSpec | AnyInputs]]:
    for section in ("required", "optional"):
        for name, raw in (declared.get(section) or {}).items():
            yield from _one(prefix + name, raw, section == "required", chosen)


def _one(
    name: str, raw: Any, required: bool, chosen: Mapping[str, Any]
) -> Iterator[tuple[str, InputSpec | AnyInputs]]:
    kind: Any = raw[0] if isinstance(raw, (list, tuple)) and raw else ""
    config: Mapping[str, Any] = raw[1] if len(raw) > 1 and isinstance(raw[1], Mapping) else {}
    if kind == "COMFY_DYNAMICCOMBO_V3":
        options = config.get("options") or []
        keys = tuple(option.get("key") for option in options)
        yield name, InputSpec("COMBO", required, keys, config)
        for option in options:
            if option.get("key") == chosen.get(name):
                yield from _walk(option.get("inputs") or {}, chosen, f"{name}.")
    elif kind == "COMFY_AUTOGROW_V3":
        yield name, _growing(name, config)
    elif isinstance(kind, list):
        yield name, InputSpec("COMBO", required, tuple(kind), config)
    elif kind == "COMBO":
        yield name, InputSpec("COMBO", required, tuple(config.get("options") or ()), config)
    else:
        yield name, InputSpec(_plain_type(str(kind), config), required, None, config)


def _plain_type(kind: str, config: Mapping[str, Any]) -> str:
    if kind == "COMFY_MATCHTYPE_V3":
        return str((config.get("template") or {}).get("allowed_types") or "*")
    return kind


def _growing(name: str, config: Mapping[str, Any]) -> AnyInputs:
    template = config.get("template") or {}
    inner = template.get("input") or {}
    raw = next(iter({**(inner.get("required") or {}), **(inner.get("optional") or {})}.values()), ["*"])
    kind = raw[0] if isinstance(raw[0], str) else "COMBO"
    names = template.get("names")
    return AnyInputs(
        f"{name}.{template.get('prefix', '')}",
        tuple(f"{name}.{one}" for one in names) if names else None,
        InputSpec("*" if kind.startswith("COMFY_") else kind, False),
    )


def fits(given: str, wanted: str) -> bool:
    """True if an output of type `given` may be linked to an input of type `wanted`."""
    if "*" in (given, wanted) or given.startswith("COMFY_") or wanted.startswith("COMFY_"):
        return True
    if "COMBO" in (given, wanted):
        return {given, wanted} <= {"COMBO", "STRING"}
    return bool({one.strip() for one in given.split(",")} & {one.strip() for one in wanted.split(",")})
