"""What deploy/ names exists: metrics and their labels, commands with their options, settings, files."""

import importlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rushes.cli import program
from rushes.settings import PREFIX, Settings
from scripts import docs

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
yaml: Any = importlib.import_module("yaml")  # no types, and only tests need it
YAML = sorted(DEPLOY.rglob("*.yaml"))

_SUFFIX = re.compile(r"_(bucket|sum|count)$")
_NAME = re.compile(r"\brushes_[a-z_]+\b")
_LABELS = re.compile(r"\bby \(([^)]*)\)|\{([^}]*)\}")
NOT_OURS = {"le", "job", "instance"}


def known() -> dict[str, set[str]]:
    """Every metric with its labels, as the reference has them."""
    rows = [line.split(" | ") for line in docs.metrics_table().splitlines()[2:]]
    return {cells[0].strip("| `"): set(re.findall(r"`(\w+)`", cells[2])) for cells in rows}


METRICS = known()


def expressions() -> Iterator[tuple[str, str]]:
    alerts = yaml.safe_load((DEPLOY / "monitoring" / "alerts.yaml").read_text())
    for group in alerts["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in json.loads((DEPLOY / "monitoring" / "dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']}", target["expr"]
    for number, found in enumerate(
        re.findall(r"```promql\n(.*?)```", (ROOT / "docs/how-to/monitor.md").read_text(), re.DOTALL)
    ):
        yield f"monitor.md {number}", found


EXPRESSIONS = list(expressions())


def metric(name: str) -> str:
    return name if name in METRICS else _SUFFIX.sub("", name)


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_what_is_asked_for_exists(where: str, expression: str):
    names = {metric(name) for name in _NAME.findall(expression)}
    assert names, "an expression without a metric of ours"
    assert names <= set(METRICS)
    labels = {
        label.strip()
        for by, match in _LABELS.findall(expression)
        for label in (by.split(",") if by else re.findall(r"(\w+)\s*[=!]", match))
    }
    assert labels - NOT_OURS <= set().union(*(METRICS[name] for name in names))
    for opening, closing in ("()", "[]", "{}"):
        assert expression.count(opening) == expression.count(closing)


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_kinds_are_asked_for_as_they_are(where: str, expression: str):
    """rate() and increase() of counters only; gauges of the database by max() or min(), not added up over processes."""
    for name in _NAME.findall(expression):
        counted = name.endswith("_total") or metric(name) != name
        ranged = re.search(rf"\b{name}(\{{[^}}]*\}})?\[", expression) is not None
        assert counted == ranged, name


def test_every_metric_is_looked_at_somewhere():
    looked_at = {metric(name) for _, expression in EXPRESSIONS for name in _NAME.findall(expression)}
    assert set(METRICS) - looked_at == set()


def test_the_names_in_the_pages_exist():
    for page in ("how-to/monitor.md", "reference/metrics.md"):
        names = {metric(name) for name in _NAME.findall((ROOT / "docs" / page).read_text())}
        assert names <= set(METRICS), page


def test_panels_have_places_of_their_own():
    panels = json.loads((DEPLOY / "monitoring" / "dashboard.json").read_text())["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


# --- commands and settings ----------------------------------------------------------------------


def documents() -> Iterator[tuple[str, Any]]:
    for path in YAML:
        for number, document in enumerate(yaml.safe_load_all(path.read_text())):
            yield f"{path.name} {number}", document


def within(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a document."""
    if isinstance(node, dict):
        yield node
    for below in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from within(below)


def calls() -> Iterator[tuple[str, list[str]]]:
    """What is given to `rushes`."""
    for where, document in documents():
        for node in within(document):
            if str(node.get("image", "")).partition(":")[0] == "rushes" and (
                "command" in node or "args" in node
            ):
                yield where, node.get("args") or node["command"]
    [line] = re.findall(r"^CMD (.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    yield "Dockerfile", json.loads(line)


def test_commands():
    commands = dict(docs.walk(typer.main.get_command(program()), "rushes"))
    seen = list(calls())
    assert len(seen) == 5
    for where, (name, *arguments) in seen:
        context = commands[f"rushes {name}"].make_context(name, [str(one) for one in arguments])
        assert context.params, where


def test_settings():
    known_settings = {PREFIX + name.upper() for name in Settings.model_fields}
    text = "\n".join(path.read_text() for path in DEPLOY.rglob("*") if path.is_file())
    named = set(re.findall(r"\bRUSHES_[A-Z_]+\b", text))
    assert "RUSHES_DATABASE_URL" in named
    assert named <= known_settings


@pytest.mark.parametrize("path", YAML, ids=[path.name for path in YAML])
def test_files_that_are_mounted_exist(path: Path):
    for document in yaml.safe_load_all(path.read_text()):
        for node in within(document):
            for volume in node.get("volumes", ()) if isinstance(node.get("volumes"), list) else ():
                source = volume.partition(":")[0] if isinstance(volume, str) else ""
                assert not source.startswith("./") or (path.parent / source).is_file(), source


def test_what_the_image_is_built_from_is_let_in():
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in let_in)
    pyproject = (ROOT / "pyproject.toml").read_text()
    forced = re.findall(r'^"([^"]+)" = "rushes/', pyproject, re.MULTILINE)
    assert {name.partition("/")[0] for name in forced} <= let_in
    copied = {
        word.rstrip("/").partition("/")[0]
        for line in (DEPLOY / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY") and "--from" not in line
        for word in shlex.split(line)[1:-1]
    }
    assert copied - {"."} <= let_in


def test_objects_of_kubernetes_refer_to_each_other():
    objects = [
        document
        for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]
    assert all({"apiVersion", "kind", "metadata"} <= one.keys() for one in objects)
    named = {(one["kind"], one["metadata"]["name"]): one for one in objects}
    for one in objects:
        if one["kind"] in ("Deployment", "StatefulSet"):
            assert one["spec"]["selector"]["matchLabels"] == one["spec"]["template"]["metadata"]["labels"]
    scaled = named["ScaledObject", "comfyui"]["spec"]
    assert ("StatefulSet", scaled["scaleTargetRef"]["name"]) in named
    assert ("TriggerAuthentication", scaled["triggers"][0]["authenticationRef"]["name"]) in named
    urls = named["ConfigMap", "rushes"]["data"]["RUSHES_COMFY_URLS"].split(",")
    assert urls == [f"http://comfyui-{n}.comfyui:8188" for n in range(scaled["maxReplicaCount"])]
