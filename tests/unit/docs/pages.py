"""What the documentation says: its pages, links, code blocks and commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"[A-Z_]+=")
_SUBSTITUTION = re.compile(r"\$\((.*?)\)")
_PLACEHOLDER = re.compile(r"\$[A-Z]+")
SOME_ID = "01a202bb-1234-71b0-a86a-b6887d1d11f2"


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


def code_blocks(page: Path, language: str) -> list[str]:
    return [found[2] for found in _FENCE.finditer(page.read_text("utf-8")) if found[1] == language]


def links(page: Path) -> list[str]:
    """Where the page points to, but for the web."""
    found = _LINK.findall(_CODE.sub("", page.read_text("utf-8")))
    return [target for target in found if "://" not in target]


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    names = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(text))
    return {name.strip().replace(" ", "-") for name in names}


@dataclass(frozen=True)
class Command:
    """A command line that a page shows."""

    page: Path
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{shown(self.page)}: {shlex.join(self.words)}"


def commands(program: str) -> list[Command]:
    """Every `program …` in the shell blocks, with values for $NAMES, without assignments before it."""
    return [
        Command(page, words)
        for page in PAGES
        for block in code_blocks(page, "sh")
        for line in _lines(block)
        if (words := _words(line)) and Path(words[0]).name == program
    ]


def _lines(block: str) -> Iterator[str]:
    for line in block.replace("\\\n", " ").splitlines():
        yield _SUBSTITUTION.sub(SOME_ID, line)
        yield from _SUBSTITUTION.findall(line)


def _words(line: str) -> tuple[str, ...]:
    words = shlex.split(_PLACEHOLDER.sub(SOME_ID, line), comments=True)
    while words and _ASSIGNMENT.match(words[0]):
        words.pop(0)
    return tuple(words)
