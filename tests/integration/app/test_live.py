"""GET /api/events: what happens, to those who may see it."""

import time
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.integration.app.database import app_database
from tests.integration.app.person import Event, Person, error_of
from tests.integration.app.stand import Stand
from tests.integration.app.test_jobs import CARD


def thumb_of(event: Event) -> Any:
    return event.data["outputs"]["files"][0]["thumb_key"]


def test_a_job_lives_in_the_stream(anna: Person):
    with anna.listening() as events:
        job = anna.submit("sleep", {"seconds": 1.2, "steps": 60})
        first = events.of(job["id"])
        assert set(first.data) == CARD
        assert first.id
        done = events.until(lambda event: event.name == "job" and event.data["status"] == "completed")
        assert done.data["outputs"]["files"][0]["url"] == done.data["result_urls"][0]
        if not thumb_of(done):
            events.until(lambda event: event.name == "job" and thumb_of(event))
        anna.delete(f"/api/jobs/{job['id']}")
        assert events.of(job["id"], "removed").data == {"id": job["id"]}
        anna.post(f"/api/jobs/{job['id']}/restore")
        assert events.of(job["id"]).data["deleted_at"] is None
    told = [event for event in events.seen if event.name == "progress"]
    assert {event.data["stage"] for event in told} <= {"uploading", "queued", "running", "collecting"}
    assert any(0 < (event.data.get("percent") or 0) < 100 for event in told)
    assert {event.id for event in told} == {None}
    assert len(told) < 10, "at most two a second"


def test_a_transaction_that_somebody_has_open_holds_up_nobody(app: Stand, anna: Person):
    with psycopg.connect(app.database_url) as forgotten:
        forgotten.execute("insert into rushes.chores (name) values ('forgotten')")
        with anna.listening() as events:
            began = time.monotonic()
            job = anna.submit("sleep", {"seconds": 0})["id"]
            first = events.of(job)
            assert time.monotonic() - began < 2
            events.until(lambda event: event.name == "job" and event.data["status"] == "completed")
        with anna.listening(first.id) as events:
            assert events.of(job).data["status"] == "completed"
        forgotten.rollback()


def test_everybody_hears_what_they_may_see(app: Stand, anna: Person, bert: Person):
    member = app.member()
    with (
        anna.listening() as hers,
        bert.listening() as his,
        member.listening() as theirs,
        app.stranger().listening() as nobodys,
        app.admin().listening() as all_of_it,
    ):
        private = anna.submit("sleep", {"seconds": 0.6})["id"]
        team = anna.submit("sleep", {"seconds": 0}, visibility="team")["id"]
        public = anna.submit("sleep", {"seconds": 0}, visibility="public")["id"]
        for events in (hers, his, theirs, nobodys, all_of_it):
            events.until(
                lambda event: (
                    event.name == "job" and event.data["id"] == public and event.data["status"] == "completed"
                )
            )
    assert {private, team, public} <= hers.ids()
    assert {private, team, public} <= all_of_it.ids()
    assert {private, team, public} & theirs.ids() == {team, public}
    for events in (his, nobodys):
        assert {private, team, public} & events.ids() == {public}
        assert not [event for event in events.seen if event.name == "job" and "metadata" in event.data]


def test_a_change_of_visibility_takes_it_away(app: Stand, anna: Person, bert: Person):
    job = anna.completed(anna.submit("sleep", {"seconds": 0}, visibility="public")["id"])["id"]
    stranger = app.stranger()
    with bert.listening() as his, stranger.listening() as nobodys, anna.listening() as hers:
        anna.patch(f"/api/jobs/{job}", json={"visibility": "private"})
        assert his.of(job, "removed").data == {"id": job}
        assert nobodys.of(job, "removed").data == {"id": job}
        hers.until(lambda event: event.name == "job" and event.data["visibility"] == "private")
        anna.patch(f"/api/jobs/{job}", json={"visibility": "public"})
        his.until(lambda event: event.name == "job" and event.data["visibility"] == "public")


def test_what_was_missed_comes_again(anna: Person, bert: Person):
    with anna.listening() as events:
        one = anna.submit("sleep", {"seconds": 0})["id"]
        seen = events.of(one)
    two = anna.submit("sleep", {"seconds": 0})["id"]
    theirs = bert.submit("sleep", {"seconds": 0})["id"]
    anna.completed(two)
    bert.completed(theirs)
    anna.patch(f"/api/jobs/{two}", json={"title": "later"})
    with anna.listening(seen.id) as events:
        assert events.of(two).data["title"] == "later"
        three = anna.submit("sleep", {"seconds": 0})["id"]
        events.of(three)
    assert theirs not in events.ids()
    # from `hello` on, where nothing was heard yet
    with anna.listening() as events:
        cursor = events.hello.data["cursor"]
    four = anna.submit("sleep", {"seconds": 0})["id"]
    with anna.listening(cursor) as events:
        events.of(four)


@pytest.mark.parametrize("broken", ["x", "1", "-", "1-1", "1:1,", "9999999999999999999:", "1:x", "é"])
def test_a_broken_event_id(anna: Person, broken: str):
    answer = anna.get("/api/events", headers=[(b"Last-Event-ID", broken.encode())])
    assert (answer.status_code, error_of(answer)["code"]) == (400, "invalid_cursor")


def test_a_reader_that_is_slow_holds_up_nobody(app: Stand, anna: Person):
    """It reads nothing while much happens, and the others hear of everything at once."""
    job = anna.completed(anna.submit("sleep", {"seconds": 0}, visibility="public", title="x" * 300)["id"])[
        "id"
    ]
    slow, quick = app.person(), app.person()
    with slow.listening(), quick.listening() as events:
        began = time.monotonic()
        for number in range(60):
            anna.patch(f"/api/jobs/{job}", json={"title": f"{number}" + "x" * 200})
        events.until(lambda event: event.name == "job" and event.data["title"].startswith("59x"))
        assert time.monotonic() - began < 8


def test_streams_end_with_the_server_and_others_notice_nothing(postgres_server, tmp_path):
    with app_database(postgres_server) as url, Stand(url, tmp_path, dispatchers=0) as app:
        people = [app.person() for _ in range(3)]
        streams = [person.stream("GET", "/api/events") for person in people]
        responses = [stream.__enter__() for stream in streams]
        for response in responses:
            assert next(response.iter_lines()).startswith("id: ")
        began = time.monotonic()
        app.stop()
        assert time.monotonic() - began < 4
        for stream in streams:
            stream.__exit__(None, None, None)


def test_progress_of_a_job_that_ran_before_the_api_started(postgres_server, demo, own_types, tmp_path):
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path, comfy_urls=[demo.url], workflows_dir=own_types) as first,
    ):
        anna = first.person()
        job = anna.submit("sleep", {"seconds": 30, "steps": 300})["id"]
        anna.until(job, lambda one: one["progress"] and one["progress"].get("percent"))
        with Stand(url, tmp_path, workflows_dir=own_types, dispatchers=0) as second:
            again, bert = second.signed_in(UUID(anna.id)), second.person()
            with again.listening() as hers, bert.listening() as his:
                assert hers.of(job, "progress").data["percent"]
                theirs = bert.submit("sleep", {"seconds": 0})["id"]
                his.of(theirs)
                assert job not in his.ids()
        anna.post(f"/api/jobs/{job}/cancel")
        anna.ended(job)


def test_a_quiet_stream_is_pinged(app: Stand, anna: Person, monkeypatch):
    from rushes.web import events

    monkeypatch.setattr(events, "PING_SECONDS", 0.5)
    with anna.stream("GET", "/api/events") as response:
        lines = response.iter_lines()
        until = time.monotonic() + 10
        while next(lines) != ": ping":
            assert time.monotonic() < until
