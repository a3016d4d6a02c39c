"""The rule stands twice, in Principal.may_see and in the policies; here they are compared."""

from itertools import product

import pytest

from rushes.domain.job import Visibility
from tests.integration.schema.people import ADMIN, OWNER, PEOPLE, STRANGER, VISITOR, Stage


@pytest.mark.parametrize("person", [name for name in PEOPLE if name != "service"])
def test_policies_say_what_may_see_says(stage: Stage, person: str) -> None:
    who = PEOPLE[person]
    assert who
    for owner, visibility in product((OWNER, STRANGER, VISITOR, ADMIN, None), Visibility):
        owner_id = owner.user_id if owner else None
        job = stage.new_job(owner or OWNER, visibility, user_id=owner_id)
        seen = bool(stage.ask(who, "SELECT 1 FROM workflow_jobs WHERE id = %s", job))
        assert seen == who.may_see(owner_id, visibility), (owner, visibility)


@pytest.mark.parametrize("visibility", Visibility)
def test_the_trash_is_the_owners_and_the_administrators(stage: Stage, visibility: str) -> None:
    job = stage.new_job(OWNER, visibility)
    stage.ask(None, "UPDATE workflow_jobs SET deleted_at = now() WHERE id = %s", job)
    seers = {
        name
        for name, who in PEOPLE.items()
        if stage.ask(who, "SELECT 1 FROM workflow_jobs WHERE id = %s", job)
    }
    assert seers == {"owner", "admin", "service"}


def test_an_owner_sees_his_row_after_hiding_it(stage: Stage) -> None:
    job = stage.new_job(OWNER, "public")
    changed = stage.ask(
        OWNER, "UPDATE workflow_jobs SET visibility = 'private' WHERE id = %s RETURNING visibility", job
    )
    assert changed == [("private",)]
    assert stage.ask(STRANGER, "SELECT 1 FROM workflow_jobs WHERE id = %s", job) == []
