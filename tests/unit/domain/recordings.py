"""Whole runs as both generations of ComfyUI sent them over the websocket."""

import gzip
import json
from pathlib import Path
from typing import Any

VERSIONS = ("0.33.0", "0.3.64")
_FOLDER = Path(__file__).parents[2] / "data" / "comfyui"
RUNS: dict[str, dict[str, Any]] = {
    version: json.loads(gzip.decompress((_FOLDER / f"recordings_{version}.json.gz").read_bytes()))
    for version in VERSIONS
}


def graph_of(run: dict[str, Any]) -> dict[str, Any]:
    """The graph that ComfyUI says it ran."""
    graph: dict[str, Any] = run["history"]["prompt"][2]
    return graph


def messages_of(run: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Its websocket messages; pictures came in between."""
    return [(message["type"], message["data"]) for message in run["ws"] if "type" in message]


FINISHED = [(v, name) for v in VERSIONS for name, run in RUNS[v].items() if run.get("history")]
