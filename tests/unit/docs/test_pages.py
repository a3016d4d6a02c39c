"""Links lead somewhere, commands can be typed as they stand, and examples work."""

import json
import re
from pathlib import Path

import pytest
import typer

from rushes.adapters.catalog import FolderCatalog
from rushes.cli import program
from rushes.cli.workflows import RECORDED, _recorded
from rushes.domain.check import check_workflow
from rushes.settings import PREFIX, Settings
from tests.unit.docs.pages import PAGES, ROOT, Command, anchors, code_blocks, commands, links, shown

CLIENT_NAMES = {
    "RUSHES_SERVER",
    "RUSHES_TOKEN",
    "RUSHES_LEGACY_SOURCE",
    "RUSHES_LEGACY_STORAGE",
    "RUSHES_LEGACY_STORAGE_KEY",
}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links(page: Path):
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"


@pytest.mark.parametrize("command", commands("rushes"), ids=str)
def test_commands_parse(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    if "--dir" in command.words:
        (
            tmp_path / command.words[command.words.index("--dir") + 1]
        ).mkdir()  # must be there to be looked into
    parse(list(command.words[1:]))


@pytest.mark.parametrize("command", commands("make"), ids=str)
def test_make(command: Command):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for word in command.words[1:]:
        name, sign, value = word.partition("=")
        if name == "ARGS":
            parse(["up", *value.split()])
        elif sign:
            assert name in ("PORT", "WORKERS", "PYTHON")
        else:
            assert name in targets


def test_a_wrong_command_is_noticed():
    with pytest.raises(Exception, match="--whait"):
        parse(["submit", "img2img", "--whait"])


def test_there_are_commands():
    assert len(commands("rushes")) > 20
    assert len(commands("make")) > 4


def parse(words: list[str]) -> None:
    """As the program would read them. Raises a usage error."""
    command = typer.main.get_command(program())
    context = command.make_context("rushes", words)
    while getattr(command, "commands", None):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)  # type: ignore[attr-defined]
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_settings_that_pages_name_exist(page: Path):
    known = {PREFIX + name.upper() for name in Settings.model_fields} | CLIENT_NAMES
    named = set(re.findall(r"RUSHES_[A-Z_]*[A-Z]\b(?!_)", page.read_text("utf-8")))
    assert named <= known | {"RUSHES_TEST_COMFY_URL", "RUSHES_TEST_POSTGRES"}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_json_is_json(page: Path):
    for block in code_blocks(page, "json"):
        json.loads(block)


def test_the_ninth_type_works(tmp_path: Path):
    page = ROOT / "docs" / "how-to" / "add-a-workflow-type.md"
    folder = tmp_path / "half-size"
    folder.mkdir()
    (folder / "workflow.json").write_text(code_blocks(page, "json")[0])
    (folder / "manifest.toml").write_text(code_blocks(page, "toml")[0])
    catalog = FolderCatalog([tmp_path])
    assert catalog.broken() == {}
    found = [
        one for version in RECORDED for one in check_workflow(catalog.get("half-size"), _recorded(version))
    ]
    assert [one for one in found if one.level == "error"] == []


def test_decision_records():
    folder = ROOT / "docs" / "adr"
    records = sorted(folder.glob("[0-9]*.md"))
    numbers = [int(record.name[:4]) for record in records]
    assert numbers == list(range(1, len(numbers) + 1))
    listed = (folder / records[0].name).read_text("utf-8")
    for number, record in zip(numbers, records, strict=True):
        text = record.read_text("utf-8")
        assert text.startswith(f"# {number}. ")
        assert number == 1 or record.name in listed, f"list {record.name} in {records[0].name}"
        assert [part for part in ("## Context", "## Decision", "## Consequences") if part not in text] == []


def test_pages_name_no_machine():
    """No path of the machine that they were written on."""
    for page in PAGES:
        assert not re.search(r"/(work|opt|root|home)/|/tmp/\w", page.read_text("utf-8")), shown(page)


def test_map_of_the_house():
    """Every folder and module of the package has its line, and every line its folder or module."""
    drawn = next(block for block in code_blocks(ROOT / "README.md", "text") if "src/rushes/" in block)
    inner = drawn[drawn.index("src/rushes/") :]
    named = {line.split()[0].rstrip("/") for line in inner.splitlines() if line.startswith("  ")}
    package = ROOT / "src" / "rushes"
    assert [name for name in named if not (package / name).exists()] == []
    unnamed = {"__init__.py", "__main__.py", "observability.py", "py.typed"}
    there = {path.name for path in package.iterdir() if path.name[0] != "_"} - unnamed
    assert there <= {name.partition("/")[0] for name in named}
    assert [
        line for line in drawn.splitlines() if line[0] != " " and not (ROOT / line.split()[0]).exists()
    ] == []
