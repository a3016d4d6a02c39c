"""The trash is emptied by hand: what is in it goes for good, and open pages hear of it."""

from uuid import UUID

import pytest

from rushes.domain.keys import job_prefix
from tests.integration.app.person import Json, Person, error_of
from tests.integration.app.stand import Stand
from tests.integration.cleanup.planted import job, keys
from tests.integration.cleanup.test_retention import empty_outbox


def finished(person: Person, **more: str) -> Json:
    """With its previews, so that nothing is written after it."""
    made = person.completed(person.submit("sleep", {"seconds": 0}, **more)["id"])
    return person.until(made["id"], lambda one: one["outputs"]["files"][0]["thumb_key"])


def in_trash(person: Person, **more: str) -> str:
    made = finished(person, **more)
    assert person.delete(f"/api/jobs/{made['id']}").status_code == 204
    return str(made["id"])


def purge(person: Person, job_id: str) -> int:
    return person.post(f"/api/jobs/{job_id}/purge").status_code


def test_only_out_of_the_trash(app: Stand, anna: Person):
    made = finished(anna)
    refused = anna.post(f"/api/jobs/{made['id']}/purge")
    assert refused.status_code == 409
    assert "not in the trash" in error_of(refused)["message"]
    anna.delete(f"/api/jobs/{made['id']}")
    assert purge(anna, made["id"]) == 204
    assert anna.get(f"/api/jobs/{made['id']}").status_code == 404
    assert anna.get(made["result_urls"][0]).status_code == 404
    assert purge(anna, made["id"]) == 404
    empty_outbox(app)
    assert keys(app, job_prefix("sleep", made["id"])) == []


def test_only_ones_own(app: Stand, anna: Person):
    job_id = in_trash(anna, visibility="public")
    assert purge(app.person(), job_id) == 404
    assert purge(app.stranger(), job_id) in (401, 404)
    assert anna.get(f"/api/jobs/{job_id}").status_code == 200
    assert purge(app.admin(), job_id) == 204
    assert anna.get(f"/api/jobs/{job_id}").status_code == 404


def test_one_that_runs_is_cancelled_first(app: Stand, anna: Person):
    running = anna.submit("sleep", {"seconds": 30})["id"]
    anna.until(running, lambda one: one["status"] == "processing")
    anna.delete(f"/api/jobs/{running}")
    first = anna.post(f"/api/jobs/{running}/purge")
    assert first.status_code == 204 or "being cancelled" in error_of(first)["message"]
    if first.status_code != 204:
        anna.ended(running)
        assert purge(anna, running) == 204


def test_a_job_from_the_old_tables_stays(app: Stand, anna: Person):
    taken_over = job(app, user_id=UUID(anna.id), origin="legacy", deleted_at="2026-01-01")
    refused = anna.post(f"/api/jobs/{taken_over}/purge")
    assert (refused.status_code, "old tables" in error_of(refused)["message"]) == (409, True)


def test_the_whole_trash(app: Stand, anna: Person):
    ids = {str(job(app, "failed", user_id=UUID(anna.id), deleted_at="2026-11-01")) for _ in range(250)}
    bert = app.person()
    his = in_trash(bert)
    kept = finished(anna)["id"]
    assert anna.post("/api/trash/empty").json() == {"purged": 250, "more": False}
    assert anna.post("/api/trash/empty").json() == {"purged": 0, "more": False}
    left = {one["id"] for one in anna.get("/api/jobs", params={"scope": "mine"}).json()["data"]}
    assert left == {kept}
    assert not ids & {one["id"] for one in anna.get("/api/jobs", params={"trash": True}).json()["data"]}
    assert bert.get(f"/api/jobs/{his}").status_code == 200
    assert app.stranger().post("/api/trash/empty").status_code == 401


def test_the_bytes_are_given_back(app: Stand, anna: Person):
    def stored() -> int:
        used: int = anna.get("/api/me").json()["use"]["bytes_stored"]
        return used

    before = stored()
    job_id = in_trash(anna)
    assert stored() > before, "the trash counts"
    purge(anna, job_id)
    assert stored() == before


def test_open_pages_hear_of_it(app: Stand, anna: Person):
    job_id = in_trash(anna)
    with anna.listening() as events:
        purge(anna, job_id)
        assert events.of(job_id, "removed").data == {"id": job_id}


@pytest.mark.parametrize("who", ["owner", "member", "stranger"])
def test_a_page_that_was_away_hears_of_it(app: Stand, anna: Person, who: str):
    """On another process, as it were: from a cursor of before, with the events of the job gone."""
    job_id = finished(anna, visibility="team")["id"]
    listener = {"owner": anna, "member": app.member(), "stranger": app.person()}[who]
    with listener.listening() as events:
        cursor = events.hello.id
    anna.delete(f"/api/jobs/{job_id}")
    purge(anna, job_id)
    later = finished(anna, visibility="public")["id"]
    with listener.listening(after=cursor) as events:
        events.of(later)
        removed = {event.data["id"] for event in events.seen if event.name == "removed"}
    assert (job_id in removed) == (who != "stranger"), "an anonymous account is not of the team"


def test_the_rules_are_shown(anna: Person):
    told = anna.get("/api/retention").json()
    assert told["trash_days"] == 30
    assert told["completed_days"] is None
    assert told["types"]["brief"] == {"completed": 2, "failed": None, "cancelled": 7}
