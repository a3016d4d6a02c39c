"""The three folders of a ComfyUI base directory: who may read and write where, under which name."""

import os
import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

KINDS = ("output", "input", "temp")
_ANNOTATION = re.compile(r"^(?P<name>.*?)(?: ?\[(?P<kind>output|input|temp)\])?$", re.DOTALL)


class OutsideOutput(Exception):
    """A file name prefix leads out of the output folder."""


@dataclass(frozen=True)
class SavePath:
    """Where an output node writes: the next free number under a prefix."""

    folder: Path
    stem: str
    number: int
    subfolder: str

    def name(self, suffix: str, *, offset: int = 0) -> str:
        """The file name of the item `offset` places on; the suffix includes what follows the number."""
        return f"{self.stem.replace('%batch_num%', str(offset))}_{self.number + offset:05}{suffix}"


@dataclass(frozen=True)
class Folders:
    """input/, output/ and temp/ below one base directory."""

    base: Path

    def __getitem__(self, kind: str) -> Path:
        if kind not in KINDS:
            raise KeyError(kind)
        return self.base / kind

    def create(self) -> None:
        """Make the folders; temp/ starts empty, as at every start of a ComfyUI."""
        shutil.rmtree(self["temp"], ignore_errors=True)
        for kind in KINDS:
            self[kind].mkdir(parents=True, exist_ok=True)

    def annotated(self, name: str, default: str = "input") -> Path:
        """The path of a name like `dir/x.png [output]`; it need not exist."""
        plain, kind = split_annotation(name)
        return self[kind or default] / plain

    def holds(self, path: Path) -> bool:
        """Whether the path stays inside one of the three folders."""
        return any(is_within(path, self[kind]) for kind in KINDS)

    def save_path(self, prefix: str, *, kind: str = "output", size: tuple[int, int] = (0, 0)) -> SavePath:
        """The next free place for a prefix, which may name directories; raises OutsideOutput."""
        root = self[kind]
        prefix = _expand(prefix, size)
        subfolder, stem = os.path.split(os.path.normpath(prefix))
        folder = normal(root / subfolder)
        if not is_within(folder, root):
            raise OutsideOutput(
                "**** ERROR: Saving image outside the output folder is not allowed.\n"
                f" full_output_folder: {folder}\n         output_dir: {root}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        return SavePath(folder, stem, _next_number(folder, stem), subfolder)


def split_annotation(name: str) -> tuple[str, str | None]:
    """`x.png [output]` → ("x.png", "output"); without annotation the kind is None."""
    match = _ANNOTATION.match(name)
    assert match is not None  # the pattern matches every string
    return match["name"], match["kind"]


def normal(path: Path) -> Path:
    """The path with its dots resolved by name alone, whatever exists."""
    return Path(os.path.normpath(path))


def is_within(path: Path, root: Path) -> bool:
    """Whether the path, its dots resolved by name alone, is the root or below it."""
    absolute, root = normal(path), normal(root)
    return absolute == root or root in absolute.parents


def _expand(prefix: str, size: tuple[int, int]) -> str:
    now = datetime.now()  # the real server names files by its own local time
    values = {
        "width": str(size[0]),
        "height": str(size[1]),
        "year": f"{now.year:04}",
        "month": f"{now.month:02}",
        "day": f"{now.day:02}",
        "hour": f"{now.hour:02}",
        "minute": f"{now.minute:02}",
        "second": f"{now.second:02}",
    }
    for word, value in values.items():
        prefix = prefix.replace(f"%{word}%", value)
    return prefix


def _next_number(folder: Path, stem: str) -> int:
    taken = re.compile(re.escape(stem) + r"_(\d+)", re.IGNORECASE)
    numbers = (int(match[1]) for path in folder.iterdir() if (match := taken.match(path.name)))
    return max(numbers, default=0) + 1
