"""Writes the tables of docs/ that follow from the code, between their `<!-- made: NAME -->` marks.

`.venv/bin/python scripts/docs.py` writes them; with --check it only says which are out of date (exit code 1).
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import typer

from rushes.adapters.catalog import FolderCatalog
from rushes.adapters.metrics import PrometheusMetrics, TypeNames
from rushes.adapters.metrics.figures import FiguresCollector
from rushes.cli import program
from rushes.domain.requirements import requirements
from rushes.ports import Figures, ServerFigures
from rushes.settings import PREFIX, Settings
from rushes.web.app import create_app

ROOT = Path(__file__).parent.parent
_MADE = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings_table() -> str:
    """Every setting with its default."""
    rows = [
        (f"`{PREFIX}{name.upper()}`", _default(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return _table(("Setting", "Default", "What it does"), rows)


def commands() -> str:
    """Every command with its arguments and options."""
    return "\n".join(
        _command(path, command) for path, command in walk(typer.main.get_command(program()), "rushes")
    )


def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The commands below this one that do something, by their full names."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, one in below.items():
        yield from walk(one, f"{path} {name}")


def paths_table() -> str:
    """Every call of the API."""
    described = create_app(None).openapi()["paths"]
    rows = [
        (f"`{method.upper()} {path}`", _first_line(call.get("description", "")), _statuses(call["responses"]))
        for path, calls in described.items()
        for method, call in calls.items()
    ]
    return _table(("Call", "What", "Answers"), rows)


def needs_table() -> str:
    """What the production graphs need of a server."""
    shelf = FolderCatalog([ROOT / "workflows"])
    rows = []
    for workflow in shelf.list():
        models = sorted({model.name for model in requirements(workflow.graph()).models})
        packages = [f"[{one.package}]({one.url})" for one in workflow.manifest.requires]
        needed = ", ".join(f"`{name}`" for name in models)
        rows.append((f"`{workflow.type}`", needed, ", ".join(packages) or "none"))
    return _table(("Type", "Model files", "Custom nodes"), rows)


def metrics_table() -> str:
    """Every metric of ours with its labels, which are known from one sample of each."""
    types = TypeNames(lambda: ["img2img"])
    metrics = PrometheusMetrics(types=types)
    _measure_everything(metrics)
    figures = FiguresCollector(version="0", types=types, feed_clients=lambda: 0, storage_free=lambda: 0)
    server = ServerFigures(
        url="", enabled=True, up=True, draining=False, breaker_open=False, slots=1, jobs=0, vram_free=0
    )
    figures.figures = Figures(servers=(server,), paused=("*",))
    families = [*figures.collect(), *metrics.registry.collect()]
    return _table(
        ("Metric", "Kind", "Labels", "What it says"),
        sorted(_metric(family) for family in families if family.name.startswith("rushes_")),
    )


def _measure_everything(metrics: PrometheusMetrics) -> None:
    metrics.submitted("img2img")
    metrics.looked_for_a_job(0, found=True)
    metrics.waited("img2img", 0)
    metrics.taken_over("img2img", "server")
    metrics.attempt_ended("img2img", outcome="completed", error_code="", server="server")
    metrics.completed("img2img", ran=0, total=0)
    metrics.answered(method="GET", route="/", status=200, seconds=0)


def _metric(family: Any) -> tuple[str, ...]:
    name = family.name + ("_total" if family.type == "counter" else "")
    labels = {label for sample in family.samples for label in sample.labels} - {"le"}
    return f"`{name}`", family.type, ", ".join(f"`{label}`" for label in sorted(labels)), family.documentation


MAKERS: dict[str, Callable[[], str]] = {
    "settings": settings_table,
    "commands": commands,
    "paths": paths_table,
    "needs": needs_table,
    "metrics": metrics_table,
}


def renewed(text: str) -> str:
    """The page with all of its tables made anew."""
    return _MADE.sub(lambda found: f"{found[1]}{MAKERS[found[2]]()}\n{found[3]}", text)


def out_of_date() -> list[tuple[Path, str]]:
    """Pages whose tables no longer follow from the code, with what they should say."""
    pages = [(page, page.read_text("utf-8")) for page in sorted((ROOT / "docs").rglob("*.md"))]
    return [(page, fresh) for page, text in pages if (fresh := renewed(text)) != text]


def _command(path: str, command: Any) -> str:
    shown = [one for one in command.params if one.param_type_name == "option" or one.help]
    rows = [_parameter(one) for one in shown if one.name != "help"]
    names = "".join(f" {_metavar(one)}" for one in command.params if one.param_type_name == "argument")
    head = f"### `{path}{names}`\n\n{_joined(command.help or '')}\n"
    return head + ("\n" + _table(("Option", "Default", "What it does"), rows) + "\n" if rows else "")


def _parameter(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        return f"`{_metavar(parameter)}`", "", _joined(parameter.help or "")
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    value = "" if parameter.is_flag else f" {parameter.metavar or _kind(parameter)}"
    default = parameter.default if isinstance(parameter.default, int | str) else None
    also = f" Or set `{parameter.envvar}`." if parameter.envvar else ""
    shown = "" if parameter.is_flag else _default(default)
    return names + value, shown, _joined(parameter.help or "") + also


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _kind(parameter: Any) -> str:
    kind = parameter.type_descriptor.annotation
    kind = (get_args(kind) or (kind,))[0]
    if issubclass(kind, Enum):
        return " | ".join(str(one.value) for one in kind)
    return {int: "N", Path: "PATH", UUID: "ID"}.get(kind, "TEXT")


def _default(value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f"`{value}`"


def _statuses(responses: dict[str, Any]) -> str:
    return " ".join(sorted(responses))


def _first_line(text: str) -> str:
    return text.partition("\n\n")[0].replace("\n", " ")


def _joined(text: str) -> str:
    return " ".join(text.split())


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines: list[tuple[str, ...]] = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main() -> int:
    """Write what is out of date, or say it."""
    stale = out_of_date()
    for page, fresh in stale:
        print(page.relative_to(ROOT))
        if "--check" not in sys.argv:
            page.write_text(fresh, "utf-8")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
