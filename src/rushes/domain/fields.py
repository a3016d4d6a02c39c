"""One declared input of a workflow type: its kind, its limits and where its value goes in a graph."""

import math
import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Kind = Literal[
    "string",
    "text",
    "integer",
    "number",
    "boolean",
    "select",
    "seed",
    "image",
    "mask",
    "video",
    "audio",
    "file",
    "image_list",
    "resolution",
    "duration",
    "group",
]
Number = int | float
Scalar = bool | int | float | str

FILE_KINDS = frozenset({"image", "mask", "video", "audio", "file"})
LIST_KINDS = frozenset({"image_list", "group"})
RANGED_KINDS = frozenset({"integer", "number", "seed", "resolution", "duration"})

MAX_TEXT = 100_000
MAX_SEED = 2**64 - 1
MAX_ITEMS = 1_000

_IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff")
_ACCEPTED: dict[str, tuple[str, ...]] = {
    "image": _IMAGES,
    "mask": _IMAGES,
    "image_list": _IMAGES,
    "video": ("video/*",),
    "audio": ("audio/*", "application/ogg"),
    "file": ("*/*",),
}

_NATURAL_RANGE: dict[str, tuple[Number, Number]] = {
    "integer": (-(2**63), 2**63 - 1),
    "seed": (0, MAX_SEED),
    "duration": (0, math.inf),
    "resolution": (1, 16_384),
}

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
GRAPHS = ("workflow", "preview")


class Frozen(BaseModel):
    """A declaration: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Target(Frozen):
    """Where a value goes: a node's input, by name or by a path into nested values."""

    node: str
    input: str | tuple[str | int, ...]
    part: Literal["width", "height"] | None = None
    if_empty: Literal["remove", "keep"] = "remove"
    empty_value: Scalar | None = None
    drop: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        node, dot, name = value.partition(".")
        if not (node and dot and name):
            raise ValueError(f'"{value}" should be "<node id>.<input name>"')
        return {"node": node, "input": name}

    @property
    def path(self) -> tuple[str | int, ...]:
        """The way from the node's `inputs` to the value; at least one step."""
        return (self.input,) if isinstance(self.input, str) else self.input


class Bound(Frozen):
    """Something with a name whose value goes to targets, per graph."""

    name: Name
    bind: dict[str, tuple[Target, ...]] = Field(default_factory=dict)

    @field_validator("bind", mode="before")
    @classmethod
    def _per_graph(cls, value: Any) -> Any:
        """A bare list means the same targets in every graph."""
        if isinstance(value, list):
            return dict.fromkeys(GRAPHS, value)
        if isinstance(value, dict) and (unknown := set(value) - set(GRAPHS)):
            raise ValueError(f"unknown graph {sorted(unknown)[0]!r}; use {' or '.join(GRAPHS)}")
        return value

    def targets(self, graph: str) -> tuple[Target, ...]:
        """Targets in `workflow.json` or `preview.json` (with or without the ending)."""
        return self.bind.get(graph.removesuffix(".json"), ())


class Option(Frozen):
    """One choice of a select."""

    value: Scalar
    label: str

    @model_validator(mode="before")
    @classmethod
    def _from_scalar(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"value": value, "label": str(value)}


class OptionsFrom(Frozen):
    """Options that a server's own node definition lists."""

    node_class: str
    input: str


class InputField(Bound):
    """One input of a workflow type, or one field of a group's items."""

    kind: Kind
    label: str = ""
    help: str = ""
    required: bool = False
    default: Any = None
    min: Number | None = None
    max: Number | None = None
    step: Number | None = None
    max_length: int = Field(default=MAX_TEXT, ge=1, le=1_000_000)
    options: tuple[Option, ...] = ()
    options_from: OptionsFrom | None = None
    accepts: tuple[str, ...] = ()
    max_bytes: int | None = Field(default=None, ge=1)
    advanced: bool = False
    group: str = ""
    order: int = 0
    prompt: bool | None = None
    stored_as: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9_]{0,62}$|^$")
    min_items: int = Field(default=1, ge=0, le=MAX_ITEMS)
    max_items: int = Field(default=MAX_ITEMS, ge=1, le=MAX_ITEMS)
    fields: tuple["InputField", ...] = ()

    @property
    def title(self) -> str:
        """The label, or one made of the name."""
        return self.label or self.name.replace("_", " ").capitalize()

    @property
    def is_file(self) -> bool:
        """True if a value is one file."""
        return self.kind in FILE_KINDS

    @property
    def is_list(self) -> bool:
        """True if a value is a list of files or of groups."""
        return self.kind in LIST_KINDS

    @property
    def is_prompt(self) -> bool:
        """True if search reads it: every text that does not say `prompt = false`."""
        return self.kind == "text" if self.prompt is None else self.prompt

    @property
    def accepted(self) -> tuple[str, ...]:
        """Content types a file may have; `audio/*` is any audio."""
        return self.accepts or _ACCEPTED.get(self.kind, ())

    @property
    def range(self) -> tuple[Number, Number]:
        """Smallest and largest value allowed, for kinds that are numbers."""
        low, high = _NATURAL_RANGE.get(self.kind, (-math.inf, math.inf))
        return (low if self.min is None else self.min, high if self.max is None else self.max)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for problem in _inconsistencies(self):
            raise ValueError(problem)
        return self


def _inconsistencies(field: InputField) -> list[str]:
    found = []
    low, high = field.range
    if low > high:
        found.append(f"min {low:g} is above max {high:g}")
    if field.step is not None and field.step <= 0:
        found.append("step must be above 0")
    limits = [limit for limit in (field.min, field.max) if limit is not None]
    if field.kind not in RANGED_KINDS and (limits or field.step is not None):
        found.append(f"min, max and step don't apply to kind {field.kind}")
    if field.kind in {"integer", "seed"} and any(limit % 1 for limit in limits):
        found.append("min and max must be whole numbers")
    if field.kind == "select" and not field.options and field.options_from is None:
        found.append("a select needs options or options_from")
    if (field.kind == "group") != bool(field.fields):
        found.append("a group needs fields, and only a group has them")
    if any(inner.is_list for inner in field.fields):
        found.append("a list inside a group is not supported")
    if field.min_items > field.max_items:
        found.append(f"min_items {field.min_items} is above max_items {field.max_items}")
    if field.default is not None and (field.is_file or field.is_list):
        found.append(f"kind {field.kind} can't have a default")
    return found


def is_multiple(value: Number, step: Number) -> bool:
    """True if `value` is a whole number of steps, as a person counts decimals."""
    return Decimal(str(value)) % Decimal(str(step)) == 0


_CLOCK = re.compile(r"(?:(?:([0-9]{1,3}):)?([0-9]{1,4}):)?([0-9]{1,6}(?:\.[0-9]{1,6})?)")
CLOCK_PATTERN = r"^(([0-9]{1,3}:[0-5]?[0-9]|[0-9]{1,4}):[0-5]?[0-9]|[0-9]{1,6})(\.[0-9]{1,6})?$"


def parse_clock(text: str) -> float | None:
    """Seconds of "12.5", "m:ss" or "h:mm:ss"; None if it is none of them."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    if (minutes is not None and float(seconds) >= 60) or (hours is not None and int(minutes) >= 60):
        return None
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)


def clock(seconds: float) -> str:
    """ "m:ss", with up to three decimals where there are any."""
    minutes, rest = divmod(round(seconds, 3), 60)
    whole = f"{rest:06.3f}".rstrip("0").rstrip(".")
    return f"{int(minutes)}:{whole}"
