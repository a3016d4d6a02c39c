"""Every answer recorded from the real servers, asked again."""

import pytest

from tests.contract.comfyui.api import Comfy
from tests.contract.comfyui.cases import BODIES, REFUSALS, RUNS
from tests.contract.comfyui.outcome import assert_looks_alike, run_outcome
from tests.contract.comfyui.record import load, raw_outcome


@pytest.mark.parametrize("name", BODIES)
def test_a_strange_body_is_answered_as_recorded(comfy: Comfy, name: str) -> None:
    assert raw_outcome(comfy, BODIES[name]) == load("answers", comfy.version)["bodies"][name]


@pytest.mark.parametrize("name", REFUSALS)
def test_a_faulty_prompt_is_refused_as_recorded(comfy: Comfy, name: str) -> None:
    assert run_outcome(comfy, REFUSALS[name]) == load("answers", comfy.version)["refusals"][name]


@pytest.mark.parametrize("name", RUNS)
def test_a_prompt_runs_as_recorded(comfy: Comfy, name: str) -> None:
    seen = run_outcome(comfy, RUNS[name])
    wanted = load("answers", comfy.version)["runs"][name]
    looks, wanted_looks = seen.pop("looks", []), wanted.pop("looks", [])
    assert _comparable(seen) == _comparable(wanted)
    for mine, theirs in zip(looks, wanted_looks, strict=True):
        assert_looks_alike(mine, theirs)


def _comparable(outcome: dict) -> dict:
    for error in outcome.get("error") or []:
        if "missing 1 required positional argument" in error[1]:
            error[1] = error[1].split(" missing", 1)[1]
    return outcome
