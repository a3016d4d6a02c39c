"""Values worked out from the inputs: a small closed set of transforms, declared as data, never as code."""

from typing import Annotated, Literal

from pydantic import Field

from rushes.domain.fields import Bound, Frozen, Scalar


class _Derived(Bound):
    """`each` names a list input: then there is one value for each of its items.

    `graph` is set where the value, or its limit, belongs to one graph only.
    """

    each: str | None = None
    graph: Literal["workflow", "preview"] | None = None


class Length(_Derived):
    """Seconds of a sound or video from `start` to `end`; all items of a list together, or each."""

    transform: Literal["length"]
    of: str
    start: str | None = None
    end: str | None = None


class Frames(_Derived):
    """Whole frames that last at least `seconds`; `multiple` and `plus` ask for the form 4k+1.

    With `each`, items share the total: their frames add up to it, never drifting by rounding.
    """

    transform: Literal["frames"]
    seconds: str
    fps: float = Field(gt=0, le=1000)
    multiple: int = Field(default=1, ge=1)
    plus: int = Field(default=0, ge=0)
    min: int = Field(default=1, ge=0)
    max: int | None = None


class Divide(_Derived):
    """(value - minus) ÷ by, rounded up, at least 1."""

    transform: Literal["divide"]
    value: str
    by: int | str
    minus: int = 0


class Split(_Derived):
    """`value` shared out over `each` (a derived count): `first` to the first, then `size` each, then the rest."""

    transform: Literal["split"]
    value: str
    first: int = Field(ge=1)
    size: int = Field(ge=1)


class Loops(_Derived):
    """How often a video's frames must be repeated to make `frames` of them."""

    transform: Literal["loops"]
    of: str
    frames: str
    assumed_fps: float = Field(default=12, gt=0)


class Case(Frozen):
    """One answer of a switch: the value of another name, or a literal."""

    source: str | None = Field(default=None, alias="from")
    value: Scalar | None = None


class Switch(_Derived):
    """The case whose key is the value of `on` ("true" and "false" for a boolean)."""

    transform: Literal["switch"]
    on: str
    cases: dict[str, Scalar | Case]
    otherwise: Scalar | Case | None = None


class Part(Frozen):
    """A piece of a text: a literal or a value, left out unless `when` holds."""

    text: str | None = None
    source: str | None = Field(default=None, alias="from")
    part: Literal["width", "height", "filename"] | None = None
    when: str | None = None
    equals: Scalar | None = None


class Text(_Derived):
    """Pieces joined by `separator`; empty pieces are left out."""

    transform: Literal["text"]
    parts: tuple[str | Part, ...]
    separator: str = ""


class Count(_Derived):
    """Number of items of a list."""

    transform: Literal["count"]
    of: str


class Clock(_Derived):
    """Seconds as the text "m:ss"."""

    transform: Literal["clock"]
    seconds: str


Derived = Annotated[
    Length | Frames | Divide | Split | Loops | Switch | Text | Count | Clock, Field(discriminator="transform")
]
