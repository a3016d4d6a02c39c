"""The reference names everything that the code has, and what it says is what the code says."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from rushes.cli import program
from rushes.domain.errors import RushesError
from rushes.domain.job import JobErrorCode, JobStatus
from rushes.settings import PREFIX, Settings
from rushes.web import errors as web_errors
from rushes.web.app import create_app
from rushes.web.schemas import JobRequest
from scripts import docs
from tests.unit.docs.pages import ROOT, shown

REFERENCE = ROOT / "docs" / "reference"


def read(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def row_of(text: str, first: str) -> str:
    """The table row that begins with this cell."""
    found = [line for line in text.splitlines() if line.startswith(f"| `{first}`")]
    assert len(found) == 1, f"{first} should have one row, and has {len(found)}"
    return found[0]


def test_tables_are_current():
    stale = [shown(page) for page, _ in docs.out_of_date()]
    assert not stale, f"run .venv/bin/python scripts/docs.py, it writes {', '.join(stale)} anew"


def test_a_change_of_the_code_is_noticed():
    page = read("settings.md")
    changed = page.replace("`500`", "`501`")
    assert changed != page
    assert docs.renewed(changed) == docs.renewed(page)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_setting(name: str):
    row = row_of(read("settings.md"), PREFIX + name.upper())
    default = Settings.model_fields[name].default
    if default not in (None, ()):
        assert f"`{json.dumps(default) if isinstance(default, bool) else default}`" in row


COMMANDS = dict(docs.walk(typer.main.get_command(program()), "rushes"))


@pytest.mark.parametrize("name", list(COMMANDS))
def test_command(name: str):
    found = re.search(rf"^### `{name}[^a-z].*?(?=^### |^<!-- end)", read("cli.md"), re.DOTALL | re.MULTILINE)
    assert found, f"{name} is missing"
    options = {one for p in COMMANDS[name].params if p.param_type_name == "option" for one in p.opts}
    assert [one for one in options - {"--help"} if f"`{one}`" not in found[0]] == []


def calls() -> Iterator[str]:
    for path, methods in create_app(None).openapi()["paths"].items():
        yield from (f"{method.upper()} {path}" for method in methods)


@pytest.mark.parametrize("call", list(calls()))
def test_call(call: str):
    assert row_of(read("api.md"), call)


@pytest.mark.parametrize("name", list(JobRequest.model_fields))
def test_field_of_a_request(name: str):
    assert row_of(read("api.md"), name)


def all_errors(base: type[RushesError] = RushesError) -> Iterator[type[RushesError]]:
    for error in base.__subclasses__():
        yield error
        yield from all_errors(error)


def test_codes_of_requests():
    """Each under its status; start-up and the command line have errors of their own."""
    web = [error for error in all_errors() if error.__module__.split(".")[1] in ("domain", "web")]
    codes = {(error.status, error.code) for error in web if error.code != "invalid_setting"}
    codes |= {(status, code) for status, code in web_errors._CODES.items() if status in (404, 413, 415)}
    text = read("api.md")
    rows = {int(line.split("|")[1]): line for line in text.splitlines() if re.match(r"\| \d{3} \|", line)}
    assert [one for one in sorted(codes) if f"`{one[1]}`" not in rows.get(one[0], "")] == []


@pytest.mark.parametrize("code", list(JobErrorCode))
def test_error_code(code: JobErrorCode):
    rows = [line for line in read("jobs.md").splitlines() if line.startswith("| `")]
    assert any(f"`{code}`" in line.split("|")[1] for line in rows)


@pytest.mark.parametrize("status", list(JobStatus))
def test_status(status: JobStatus):
    assert row_of(read("jobs.md"), status)


def test_fields_of_a_job():
    text = read("jobs.md")
    fields: dict[str, Any] = create_app(None).openapi()["components"]["schemas"]["Job"]["properties"]
    assert [name for name in fields if f"`{name}`" not in text] == []


def test_tables_of_the_schema():
    text = (ROOT / "docs" / "explanation" / "data-model.md").read_text("utf-8")
    schema = "".join(
        file.read_text("utf-8") for file in sorted((ROOT / "supabase" / "migrations").glob("*.sql"))
    )
    tables = re.findall(r"^CREATE TABLE public\.(\w+)", schema, re.MULTILINE)
    assert len(tables) > 10
    assert [name for name in tables if f"`{name}`" not in text] == []
