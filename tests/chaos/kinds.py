"""Kinds of jobs. Each job has a mark of its own, and what it makes can be told from the mark alone."""

import io
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

STEP = 5  # marks are colours this far apart: rounding on the way changes none into another
SHADES = 256 // STEP
MARKS = SHADES**3

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Kind:
    """A workflow type: its manifest and graph, and what a job of it is to end as."""

    name: str
    manifest: str
    graph: Mapping[str, Any]
    takes_file: bool = False
    fails_as: str | None = None
    wants_demo: bool = False

    def install(self, folder: Path) -> None:
        place = folder / self.name
        place.mkdir(parents=True)
        (place / "workflow.json").write_text(json.dumps(self.graph))
        (place / "manifest.toml").write_text(self.manifest)


def colour(mark: int) -> Colour:
    """The colour of a mark."""
    return (mark % SHADES * STEP, mark // SHADES % SHADES * STEP, mark // SHADES**2 % SHADES * STEP)


def number(mark: int) -> int:
    """The same as 0xRRGGBB."""
    red, green, blue = colour(mark)
    return red << 16 | green << 8 | blue


def picture(mark: int) -> bytes:
    """A picture of that colour, as somebody would upload it."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), colour(mark)).save(buffer, "PNG")
    return buffer.getvalue()


def colour_of(content: bytes) -> Colour:
    """The colour in the middle of a picture."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    found = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return found[0], found[1], found[2]


def is_colour(content: bytes, wanted: Colour) -> bool:
    return all(abs(a - b) <= 1 for a, b in zip(colour_of(content), wanted, strict=True))


def made_right(kind: str, mark: int, files: Mapping[str, bytes], texts: Sequence[str]) -> bool:
    """Whether these are the results of that very job."""
    pictures = {name.split(".")[0].split("-")[0]: content for name, content in files.items()}
    match kind:
        case "plain" | "slow":
            return set(pictures) == {"output"} and is_colour(pictures["output"], colour(mark))
        case "pair":
            return (
                set(pictures) == {"first", "second"}
                and is_colour(pictures["first"], colour(mark))
                and is_colour(pictures["second"], inverted(mark))
            )
        case "upload":
            return set(pictures) == {"output"} and is_colour(pictures["output"], inverted(mark))
        case "words":
            return not pictures and list(texts) == [f"mark {mark}"]
    return False


def inverted(mark: int) -> Colour:
    red, green, blue = colour(mark)
    return 255 - red, 255 - green, 255 - blue


def inputs(kind: Kind, mark: int, chance: random.Random) -> dict[str, Any]:
    """What a job with that mark is submitted with, but for its file."""
    match kind.name:
        case "slow":
            return {"colour": number(mark), "seconds": round(chance.uniform(0.2, 1.5), 2)}
        case "words":
            return {"words": f"mark {mark}"}
        case "upload":
            return {}
        case "broken":
            return {"message": f"mark {mark}"}
    return {"colour": number(mark)}


def _node(class_type: str, **given: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": given}


def _manifest(title: str, output: str, asked: str, outputs: Sequence[tuple[str, str, str]]) -> str:
    made = "".join(
        f'\n[[outputs]]\nname = "{name}"\nkind = "{kind}"\nnode = "{node}"\n'
        + (f'stored_as = "{name}"\n' if kind == "image" else "")
        for name, kind, node in outputs
    )
    return f'title = "{title}"\noutput = "{output}"\n{asked}\n{made}'


_COLOUR = (
    '[[inputs]]\nname = "colour"\nkind = "integer"\nmin = 0\nmax = 16777215\nrequired = true\nbind = ["{}"]\n'
)
_SECONDS = (
    '[[inputs]]\nname = "seconds"\nkind = "number"\nmin = 0\nmax = 600\ndefault = 0.2\nbind = ["1.seconds"]\n'
)

PLAIN = Kind(
    "plain",
    _manifest("Plain", "image", _COLOUR.format("1.color"), [("output", "image", "2")]),
    {
        "1": _node("EmptyImage", width=32, height=32, batch_size=1, color=0),
        "2": _node("SaveImage", images=["1", 0], filename_prefix="x"),
    },
)
PAIR = Kind(
    "pair",
    _manifest(
        "Pair", "image", _COLOUR.format("1.color"), [("first", "image", "2"), ("second", "image", "4")]
    ),
    {
        "1": _node("EmptyImage", width=32, height=32, batch_size=1, color=0),
        "2": _node("SaveImage", images=["1", 0], filename_prefix="x"),
        "3": _node("ImageInvert", image=["1", 0]),
        "4": _node("SaveImage", images=["3", 0], filename_prefix="x"),
    },
)
UPLOAD = Kind(
    "upload",
    _manifest(
        "Upload",
        "image",
        '[[inputs]]\nname = "image"\nkind = "image"\nrequired = true\nstored_as = "input"\nbind = ["1.image"]\n',
        [("output", "image", "3")],
    ),
    {
        "1": _node("LoadImage", image="input.png"),
        "2": _node("ImageInvert", image=["1", 0]),
        "3": _node("SaveImage", images=["2", 0], filename_prefix="x"),
    },
    takes_file=True,
)
WORDS = Kind(
    "words",
    _manifest(
        "Words",
        "text",
        '[[inputs]]\nname = "words"\nkind = "string"\nrequired = true\nbind = ["1.string_a"]\n',
        [("text", "text", "2")],
    ),
    {
        "1": _node("StringConcatenate", string_a="", string_b="", delimiter=""),
        "2": _node("PreviewAny", source=["1", 0]),
    },
)
SLOW = Kind(
    "slow",
    _manifest("Slow", "image", _COLOUR.format("1.seed") + _SECONDS, [("output", "image", "2")]),
    {
        "1": _node("RushesDemoSleep", seconds=0.2, steps=20, preview="none", seed=0),
        "2": _node("SaveImage", images=["1", 0], filename_prefix="x"),
    },
    wants_demo=True,
)
BROKEN = Kind(
    "broken",
    _manifest(
        "Broken",
        "image",
        '[[inputs]]\nname = "message"\nkind = "string"\nrequired = true\nbind = ["1.message"]\n',
        [("output", "image", "2")],
    ),
    {
        "1": _node("RushesDemoFail", message=""),
        "2": _node("SaveImage", images=["1", 0], filename_prefix="x"),
    },
    fails_as="node_error",
    wants_demo=True,
)
# A real server has no node that sleeps; blurring large pictures takes its time too.
SLOW_REAL = Kind(
    "slow",
    _manifest(
        "Slow",
        "image",
        _COLOUR.format("1.color")
        + '[[inputs]]\nname = "seconds"\nkind = "number"\nmin = 0\nmax = 600\ndefault = 0.2\nbind = ["2.sigma"]\n',
        [("output", "image", "9")],
    ),
    {
        "1": _node("EmptyImage", width=1024, height=1024, batch_size=1, color=0),
        **{str(n): _node("ImageBlur", image=[str(n - 1), 0], blur_radius=12, sigma=1.0) for n in range(2, 5)},
        "9": _node("SaveImage", images=["4", 0], filename_prefix="x"),
    },
)

DEMO = (PLAIN, PAIR, UPLOAD, WORDS, SLOW, BROKEN)
REAL = (PLAIN, PAIR, UPLOAD, WORDS, SLOW_REAL)
