"""Turns among users: start-time fair queueing, a queue for each priority."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from rushes.domain.principal import Principal
from tests.integration.schema.people import ADMIN, OWNER, STRANGER, VISITOR, Stage


@pytest.fixture
def own(database_url: str) -> Iterator[Stage]:
    """A database of this test's own: sequences aren't undone."""
    connection = psycopg.connect(database_url, autocommit=True)
    stage = Stage(connection)
    for person in (OWNER, STRANGER, VISITOR, ADMIN):
        stage.ask(None, "INSERT INTO auth.users (id) VALUES (%s)", person.user_id)
    yield stage
    connection.close()


def submit(stage: Stage, who: Principal, count: int = 1, priority: int = 5) -> None:
    for _ in range(count):
        stage.new_job(who, priority=priority)


def order(stage: Stage) -> str:
    """Whose jobs wait, first to last: o(wner), s(tranger), v(isitor)."""
    letters = {OWNER.user_id: "o", STRANGER.user_id: "s", VISITOR.user_id: "v"}
    rows = stage.ask(
        None, "SELECT user_id FROM workflow_jobs WHERE status = 'pending'"
        " ORDER BY priority DESC, fair_start, created_at",
    )  # fmt: skip
    return "".join(letters[user] for (user,) in rows)


def run(stage: Stage, count: int = 1) -> str:
    """Claim that many, one after the other."""
    ran = order(stage)[:count]
    for _ in range(count):
        stage.ask(
            None, "UPDATE workflow_jobs SET status = 'processing', attempt = 1, comfy_url = 'x' WHERE id = ("
            "SELECT id FROM workflow_jobs WHERE status = 'pending'"
            " ORDER BY priority DESC, fair_start, created_at LIMIT 1)",
        )  # fmt: skip
    return ran


def test_one_job_goes_before_a_strangers_backlog(own: Stage) -> None:
    submit(own, OWNER, 10)
    run(own, 3)
    submit(own, STRANGER)
    assert run(own, 2) == "so"


def test_two_backlogs_alternate(own: Stage) -> None:
    submit(own, OWNER, 4)
    submit(own, STRANGER, 4)
    assert order(own) == "osososos"


def test_those_who_submit_one_at_a_time_do_not_starve_a_backlog(own: Stage) -> None:
    submit(own, OWNER, 4)
    submit(own, STRANGER)
    submit(own, VISITOR)
    ran = ""
    for _ in range(9):
        ran += run(own)
        if ran[-1] != "o":
            submit(own, STRANGER if ran[-1] == "s" else VISITOR)
    assert ran == "osv" * 3


def test_what_was_used_while_nobody_else_waited_is_forgotten(own: Stage) -> None:
    submit(own, OWNER, 6)
    run(own, 6)
    submit(own, STRANGER, 3)
    submit(own, OWNER, 3)
    assert order(own) == "ssosoo"  # the one unit is the job that ran last


def test_priorities_are_queues_of_their_own(own: Stage) -> None:
    submit(own, OWNER, 20)
    submit(own, OWNER, 1, priority=9)
    submit(own, STRANGER, 1, priority=9)
    submit(own, STRANGER, 1)
    assert order(own)[:4] == "osos"


def test_a_job_that_changes_its_priority_queues_there_anew(own: Stage) -> None:
    submit(own, OWNER, 5)
    submit(own, STRANGER, 2, priority=9)
    own.ask(
        None, "UPDATE workflow_jobs SET priority = 9 WHERE id ="
        " (SELECT id FROM workflow_jobs WHERE user_id = %s ORDER BY fair_start DESC LIMIT 1)", OWNER.user_id,
    )  # fmt: skip
    assert order(own)[:3] in ("sos", "oss")


def test_who_cancels_a_batch_does_not_queue_behind_it(own: Stage) -> None:
    submit(own, OWNER, 50)
    own.touched(OWNER, "UPDATE workflow_jobs SET cancel_requested_at = now() WHERE status = 'pending'")
    submit(own, STRANGER, 3)
    submit(own, OWNER, 3)
    assert order(own) == "sososo"


def test_submits_of_one_user_at_the_same_time_get_a_turn_each(own: Stage, database_url: str) -> None:
    def many() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            submit(Stage(connection), OWNER, 20)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    starts = own.ask(None, "SELECT fair_start FROM workflow_jobs ORDER BY fair_start")
    assert [start for (start,) in starts] == list(range(80))
