"""Idempotency-Key: the same request twice is one job."""

import threading

import pytest

from tests.integration.app.made import picture
from tests.integration.app.person import Person, error_of
from tests.integration.app.stand import Stand

BODY = {"workflow_type": "sleep", "inputs": {"seconds": 0}}


def submit(person: Person, key: str, body=None, **request):
    if not request:
        request = {"json": BODY if body is None else body}
    return person.post("/api/jobs", headers={"Idempotency-Key": key}, **request)


def test_the_first_answer_again(app: Stand, anna: Person, bert: Person):
    first, second = submit(anna, "k"), submit(anna, "k")
    assert (first.status_code, second.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    assert second.json()["id"] == first.json()["id"]
    assert first.json()["idempotency_key"] == "k"
    other = submit(bert, "k")  # keys are a person's own
    assert other.json()["id"] != first.json()["id"]
    assert app.sql("select count(*) from workflow_jobs where user_id = %s", anna.id) == [(1,)]


def test_another_body_is_refused(anna: Person):
    submit(anna, "k")
    for other in (
        {**BODY, "inputs": {"seconds": 0.1}},
        {**BODY, "title": "x"},
        {**BODY, "priority": 6},
        {**BODY, "metadata": {"a": 1}},
        {**BODY, "tags": ["a"]},
        {**BODY, "preview": False},
    ):
        answer = submit(anna, "k", other)
        assert (answer.status_code, error_of(answer)["code"]) == (422, "idempotency_key_reuse"), other


def test_a_form_twice(anna: Person):
    def form(prompt: str, width: int):
        return {
            "data": {"workflow_type": "img2img", "prompt": prompt},
            "files": {"image": ("a.png", picture(width), "image/png")},
        }

    first = submit(anna, "form", **form("x", 64))
    assert first.status_code == 201, first.text
    assert submit(anna, "form", **form("x", 64)).json()["id"] == first.json()["id"]
    for other in (form("y", 64), form("x", 65)):
        assert error_of(submit(anna, "form", **other))["code"] == "idempotency_key_reuse"


def test_a_refused_request_gives_the_key_back(anna: Person):
    refused = submit(anna, "k", {"workflow_type": "sleep", "inputs": {"seconds": "long"}})
    assert refused.status_code == 422
    assert submit(anna, "k").status_code == 201


def test_at_the_same_time_there_is_one_job(app: Stand, anna: Person):
    answers = []

    def ask():
        answers.append(submit(anna, "together"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert error_of(answer)["code"] == "idempotency_in_flight"
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert app.sql("select count(*) from workflow_jobs where user_id = %s", anna.id) == [(1,)]


def test_in_flight_and_what_a_killed_process_left(app: Stand, anna: Person):
    first = submit(anna, "left")
    # as a process leaves it that was killed between taking the key and writing the row
    app.sql("update idempotency set job_id = null where user_id = %s", anna.id)
    waiting = submit(anna, "left")
    assert (waiting.status_code, error_of(waiting)["code"]) == (409, "idempotency_in_flight")
    app.sql("update idempotency set created_at = now() - interval '2 minutes' where user_id = %s", anna.id)
    recovered = submit(anna, "left")
    assert recovered.status_code == 201
    assert recovered.json()["id"] != first.json()["id"]
    assert submit(anna, "left").headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", b"\xff"])
def test_a_key_that_is_none(anna: Person, key):
    answer = submit(anna, key)
    assert answer.status_code == 422, answer.text
    assert "Idempotency-Key".lower() in error_of(answer)["details"]["field"].lower()
