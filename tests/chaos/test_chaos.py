"""A small run of the campaign. `python -m tests.chaos` runs larger ones."""

from pathlib import Path

from tests.chaos.campaign import Campaign, Outcome, run


def checked(outcome: Outcome) -> Outcome:
    print(outcome)
    wrong = "\n".join(outcome.faults)
    assert not outcome.faults, f"{wrong}\n{outcome}\n{outcome.timeline}"
    return outcome


def test_every_job_ends_once_and_right_whatever_happens(tmp_path: Path):
    outcome = checked(run(Campaign(seed=11, jobs=100, seconds=14, pause=0.6, shot_allowed=3), tmp_path))
    assert outcome.jobs == 100
    assert outcome.ends["completed"] > 50
    assert outcome.troubles > 5
