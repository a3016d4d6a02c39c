"""A kind of job that retention has forgotten is known again when it is asked for."""

import pytest

from rushes.services import fleet
from tests.integration.app.stand import Stand


def test_a_forgotten_need_is_told_again(quiet: Stand, monkeypatch: pytest.MonkeyPatch):
    def need() -> None:
        workflow = quiet.at.catalog.get("sleep")
        quiet.do(
            lambda: quiet.at.fleet.need(workflow, "workflow.json", {"seconds": 1, "steps": 2, "seed": 3})
        )

    def known() -> int:
        ((count,),) = quiet.sql("select count(*) from workflow_requirements")
        return int(count)

    need()
    assert known() == 1
    quiet.sql("update workflow_requirements set created_at = now() - interval '91 days'")
    assert quiet.do(quiet.at.retention.once)["needs"] == 1
    need()
    assert known() == 0, (
        "within a day of the last time it isn't told again: so it must not be forgotten as fast"
    )
    monkeypatch.setattr(fleet, "TOLD_SECONDS", 0.0)
    need()
    assert known() == 1
