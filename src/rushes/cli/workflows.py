"""rushes workflows: list, show, check."""

import gzip
import json
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import typer

from rushes.adapters.catalog import FolderCatalog
from rushes.adapters.comfyui.client import HttpComfyServers
from rushes.bootstrap.installation import catalog
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import fail, say, show, show_json, table
from rushes.cli.signals import run_interruptibly
from rushes.domain.check import Problem, check_workflow
from rushes.domain.comfy import ComfyError
from rushes.domain.errors import NotFound, Unavailable
from rushes.domain.schema import json_schema
from rushes.settings import check_comfy_url

workflows = typer.Typer(help="Look at workflow types and check them.", no_args_is_help=True)

RECORDED = ("0.33.0", "0.3.64")


@workflows.command("list")
def list_workflows(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """The workflow types that are installed."""
    shelf = catalog(settings(data_dir))
    found = shelf.list()
    if as_json:
        show_json([{"type": w.type, "title": w.manifest.title, "output": w.manifest.output} for w in found])
    else:
        table(("type", "output", "title"), [(w.type, w.manifest.output, w.manifest.title) for w in found])
    for name, why in shelf.broken().items():
        fail(f"{name} can't be used: {why}")


@workflows.command("show")
def show_workflow(
    workflow_type: Annotated[str, typer.Argument(metavar="TYPE")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """The inputs of a type, as `rushes submit` takes them."""
    workflow = catalog(settings(data_dir)).get(workflow_type)
    schema = json_schema(workflow)
    if as_json:
        show_json(schema)
        return
    show(f"{workflow.type}: {workflow.manifest.title}")
    show(workflow.manifest.description or "")
    table(("input", "kind", "needed", "default", "range"), list(_inputs(schema, "")))


@workflows.command()
def check(
    types: Annotated[list[str] | None, typer.Argument(metavar="[TYPE]...", show_default=False)] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            exists=True,
            file_okay=False,
            help="A folder of workflow types to check instead.",
            show_default=False,
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="Check against this ComfyUI, not the recorded ones.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Hold manifests and graphs against what ComfyUI's nodes take. Exit code 1 if one can't work."""
    shelf = FolderCatalog([folder]) if folder else catalog(settings(data_dir))
    chosen = [shelf.get(name) for name in types] if types else shelf.list()
    if folder and not chosen and not shelf.broken():
        raise NotFound(f"There is no workflow type in {folder}: each is a folder with a manifest.toml in it.")
    known = _live(server) if server else {version: _recorded(version) for version in RECORDED}
    found = [
        (workflow.type, version, problem)
        for workflow in chosen
        for version, nodes in known.items()
        for problem in check_workflow(workflow, nodes)
        if _counts(problem, version, known)
    ]
    broken = {} if types else shelf.broken()
    if as_json:
        show_json({"problems": [_as_json(*one) for one in found], "broken": broken})
    else:
        _report(found, broken, [workflow.type for workflow in chosen])
    if broken or any(problem.level == "error" for _, _, problem in found):
        sys.exit(1)


def _counts(problem: Problem, version: str, known: dict[str, Any]) -> bool:
    """Of the recorded generations the newest is the measure; the older one must run the previews."""
    return version == next(iter(known)) or (problem.graph == "preview.json" and problem.level == "error")


def _report(found: list[tuple[str, str, Problem]], broken: dict[str, str], types: list[str]) -> None:
    for workflow_type, version, problem in found:
        show(f"{problem.level:10} {workflow_type} ({version}): {problem}")
    for name, why in broken.items():
        show(f"{'error':10} {name}: {why}")
    faulty = {workflow_type for workflow_type, _, problem in found if problem.level == "error"} | set(broken)
    say(
        f"{len(types)} checked, {len(faulty)} can't work"
        + (f": {', '.join(sorted(faulty))}" if faulty else "")
    )


def _as_json(workflow_type: str, version: str, problem: Problem) -> dict[str, Any]:
    return {
        "workflow_type": workflow_type,
        "comfyui": version,
        "level": problem.level,
        "graph": problem.graph,
        "node": problem.node,
        "message": problem.message,
    }


def _recorded(version: str) -> dict[str, Any]:
    packed = (
        resources.files("rushes.testing.recorded").joinpath(f"object_info_{version}.json.gz").read_bytes()
    )
    nodes: dict[str, Any] = json.loads(gzip.decompress(packed))
    return nodes


def _live(url: str) -> dict[str, dict[str, Any]]:
    async def ask() -> dict[str, Any]:
        servers = HttpComfyServers()
        try:
            return await servers.at(check_comfy_url(url)).object_info()
        finally:
            await servers.aclose()

    try:
        return {url.rpartition("@")[2]: run_interruptibly(ask())}
    except (ComfyError, ValueError) as error:
        raise Unavailable(str(error)) from None


def _inputs(schema: dict[str, Any], prefix: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, one in schema["properties"].items():
        needed = "yes" if name in schema.get("required", ()) else ""
        low, high = one.get("minimum"), one.get("maximum")
        span = (
            f"{low} … {high}"
            if low is not None or high is not None
            else ", ".join(map(str, one.get("enum", ())))
        )
        default = "" if one.get("default") is None else json.dumps(one["default"], ensure_ascii=False)
        rows.append((prefix + name, str(one.get("x-kind", one.get("type"))), needed, default, span[:60]))
        items = one.get("items")
        if isinstance(items, dict) and "properties" in items:
            rows += _inputs(items, f"{prefix}{name}.N.")
    return rows
