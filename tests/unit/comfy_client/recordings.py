"""What both generations of ComfyUI really answered: whole runs, and refusals."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RUNS: dict[str, dict[str, Any]] = json.loads((HERE / "recorded.json").read_text())
REFUSALS: dict[str, dict[str, Any]] = json.loads((HERE / "refusals.json").read_text())
VERSIONS = ("0.33.0", "0.3.64")


def entry(version: str, name: str) -> dict[str, Any]:
    found = RUNS[version][name]["entry"]
    assert isinstance(found, dict), name
    return found
