"""Record the answers of a real server: `python -m tests.contract.comfyui.record URL` (its inputs are uploaded first)."""

import gzip
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tests.contract.comfyui.api import Comfy
from tests.contract.comfyui.cases import BODIES, REFUSALS, RUNS
from tests.contract.comfyui.outcome import refusal_outcome, run_outcome

DATA = Path(__file__).parents[2] / "data" / "comfyui"


def load(name: str, version: str) -> dict[str, Any]:
    """Recorded data of a version, a copy to change."""
    found: dict[str, Any] = json.loads(_unpacked(name, version))
    return found


@cache
def _unpacked(name: str, version: str) -> bytes:
    return gzip.decompress((DATA / f"{name}_{version}.json.gz").read_bytes())


def upload_inputs(comfy: Comfy) -> None:
    """The files the graphs name, in the input folder's root."""
    for path in sorted((DATA / "inputs").iterdir()):
        assert comfy.upload(path.name, path.read_bytes()).json()["name"] == path.name


def raw_outcome(comfy: Comfy, body: bytes) -> dict[str, Any]:
    """The answer to a raw body."""
    answer = comfy.post("/prompt", raw=body)
    is_json = answer.headers["content-type"].startswith("application/json")
    return refusal_outcome(answer.status_code, answer.json() if is_json else answer.text)


def main() -> None:
    """Write answers_<version>.json.gz."""
    comfy = Comfy(sys.argv[1])
    upload_inputs(comfy)
    recorded = {
        "bodies": {name: raw_outcome(comfy, body) for name, body in BODIES.items()},
        "refusals": {name: run_outcome(comfy, prompt) for name, prompt in REFUSALS.items()},
        "runs": {name: run_outcome(comfy, prompt) for name, prompt in RUNS.items()},
    }
    packed = gzip.compress(json.dumps(recorded, separators=(",", ":")).encode(), 9, mtime=0)
    (DATA / f"answers_{comfy.version}.json.gz").write_bytes(packed)
    print(comfy.version, len(packed), "bytes")


if __name__ == "__main__":
    main()
