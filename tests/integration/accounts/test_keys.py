"""API keys: what each scope may do at every endpoint, and when a key is dead."""

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from rushes.web.app import create_app
from tests.integration.app.person import Json, Person, error_of
from tests.integration.app.stand import Stand

JOB = {"workflow_type": "sleep", "inputs": {"seconds": 0}}


def key_of(person: Person, *scopes: str, **more: Json) -> Json:
    answer = person.post("/api/keys", json={"name": "script", "scopes": scopes or ["read", "submit"], **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def with_key(place: Stand, key: str, header: str = "X-API-Key") -> Person:
    script = place.stranger()
    script.headers[header] = key if header == "X-API-Key" else f"Bearer {key}"
    return script


@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_a_key_is_its_owner(place: Stand, anna: Person, header: str):
    made = key_of(anna)
    assert made["key"].startswith("rsh_")
    assert len(made["key"]) == 44
    assert made["key"].startswith(made["prefix"])
    script = with_key(place, made["key"], header)
    assert script.get("/api/me").json()["id"] == anna.id
    answer = script.post("/api/jobs", json=JOB)
    assert answer.status_code == 201
    assert answer.json()["user_id"] == anna.id
    assert "set-cookie" not in answer.headers
    assert anna.job(answer.json()["id"])


def test_a_key_is_shown_once_and_stored_as_a_digest(place: Stand, anna: Person):
    made = key_of(anna)
    listed = anna.get("/api/keys").json()["data"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert "key" not in listed[0]
    (stored,) = place.sql("select row_to_json(k)::text from api_keys as k where id = %s", made["id"])[0]
    assert made["key"] not in stored
    assert hashlib.sha256(made["key"].encode()).hexdigest() in stored


def test_a_key_is_nobody_elses(place: Stand, anna: Person, administrator: Person):
    made = key_of(anna)
    bert = place.person()
    assert bert.get("/api/keys").json()["data"] == []
    assert bert.delete(f"/api/keys/{made['id']}").status_code == 404
    assert with_key(place, made["key"]).get("/api/me").status_code == 200
    assert administrator.delete(f"/api/keys/{made['id']}").status_code == 204
    assert with_key(place, made["key"]).get("/api/me").status_code == 401


def test_a_revoked_key_is_dead_at_once(place: Stand, anna: Person):
    made = key_of(anna)
    script = with_key(place, made["key"])
    assert script.get("/api/jobs").status_code == 200
    assert anna.delete(f"/api/keys/{made['id']}").status_code == 204
    assert error_of(script.get("/api/jobs"))["code"] == "unauthenticated"
    assert anna.delete(f"/api/keys/{made['id']}").status_code == 204
    assert anna.get("/api/keys").json()["data"][0]["revoked_at"]


def test_a_key_expires(place: Stand, anna: Person):
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    script = with_key(place, key_of(anna, expires_at=soon)["key"])
    end = time.monotonic() + 10
    while script.get("/api/me").status_code == 200:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert script.get("/api/me").status_code == 401
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    answer = anna.post("/api/keys", json={"name": "x", "expires_at": past})
    assert set(error_of(answer)["details"]["fields"]) == {"expires_at"}


def test_the_last_use_is_booked_at_most_once_a_minute(place: Stand, anna: Person):
    made = key_of(anna)
    script = with_key(place, made["key"])

    def used() -> Json:
        return anna.get("/api/keys").json()["data"][0]["last_used_at"]

    assert used() is None
    script.get("/api/me")
    first = used()
    assert first
    script.get("/api/me")
    assert used() == first
    place.sql("update api_keys set last_used_at = now() - interval '61 seconds' where id = %s", made["id"])
    script.get("/api/me")
    assert used() > first


def test_a_disabled_owners_key_is_dead(place: Stand, anna: Person, administrator: Person):
    script = with_key(place, key_of(anna)["key"])
    assert administrator.patch(f"/api/users/{anna.id}", json={"disabled": True}).status_code == 200
    assert error_of(script.get("/api/me"))["code"] == "forbidden"


@pytest.mark.parametrize(
    "key",
    ["rsh_", "rsh_" + "a" * 40, "rsh_" + "a" * 39, "rsh_" + "a" * 41, "rsh_" + "é" * 40, "rsh_' or 1=1 --", "rsh_" + "a" * 10_000,
     "RSH_" + "a" * 40],
)  # fmt: skip
def test_what_is_no_key(place: Stand, key: str):
    script = place.stranger()
    sent = [(b"Authorization", f"Bearer {key}".encode()), (b"X-API-Key", key.encode())]
    for headers in ([one] for one in sent):
        answer = script.get("/api/me", headers=headers)
        assert (answer.status_code, error_of(answer)["code"]) == (401, "unauthenticated")


def test_one_kind_of_credentials_at_a_time(place: Stand, anna: Person):
    answer = anna.get("/api/me", headers={"X-API-Key": key_of(anna)["key"]})
    assert error_of(answer)["message"] == "Send either Authorization or X-API-Key, not both."
    session = anna.headers["Authorization"].removeprefix("Bearer ")
    answer = place.stranger().get("/api/me", headers={"X-API-Key": session})
    assert answer.status_code == 401


def test_a_key_beats_the_cookie_and_needs_no_origin(place: Stand, anna: Person):
    browser = place.stranger()
    browser.get("/")
    key = {"X-API-Key": key_of(anna)["key"], "Origin": "https://elsewhere.example"}
    assert browser.get("/api/me", headers=key).json()["id"] == anna.id
    assert browser.post("/api/jobs", json=JOB, headers=key).status_code == 201


def calls() -> Iterator[tuple[str, str]]:
    """Every call that knows who asks. What sign-in offers looks at no credentials."""
    for path, methods in create_app(None).openapi()["paths"].items():
        if path not in ("/healthz", "/readyz", "/metrics") and not path.startswith(
            ("/api/auth", "/api/workflows")
        ):
            yield from ((method.upper(), path) for method in methods)


@pytest.mark.parametrize("call", list(calls()), ids=" ".join)
def test_scopes_at_every_endpoint(place: Stand, call: tuple[str, str]):
    method, template = call
    path = template
    for name in ("{job_id}", "{upload_id}", "{server_id}", "{key_id}", "{user_id}"):
        path = path.replace(name, str(uuid4()))
    path = path.replace("{key}", "workflows/x/y/z.png").replace("{workflow_type}", "x")
    needed, other = ("read", "submit") if method in ("GET", "HEAD") else ("submit", "read")
    owner = _owner(place)
    if method == "HEAD":  # answers without a body
        assert owner[other].head(path).status_code == 403
        assert owner[needed].head(path).status_code != 403
        return
    refused = owner[other].request(method, path, json={})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "forbidden"), refused.text
    assert f"scope {needed}" in error_of(refused)["message"]
    if template.startswith("/api/keys"):
        assert "scope admin" in error_of(owner[needed].request(method, path, json={"name": "x"}))["message"]
        return
    if path != "/api/events":  # never ends
        allowed = owner[needed].request(method, path, json={})
        assert "scope" not in allowed.text


_owners: dict[str, dict[str, Person]] = {}


def _owner(place: Stand) -> dict[str, Person]:
    if place.url not in _owners:
        person = place.person()
        _owners[place.url] = {
            scope: with_key(place, key_of(person, scope)["key"]) for scope in ("read", "submit")
        }
    return _owners[place.url]


def test_an_administrators_rights_need_the_scope(place: Stand, anna: Person, administrator: Person):
    job = anna.submit("sleep", {"seconds": 0})["id"]
    limited = with_key(place, key_of(administrator)["key"])
    assert limited.get("/api/me").json()["is_admin"] is False
    assert limited.get(f"/api/jobs/{job}").status_code == 404
    assert limited.get("/api/users").status_code == 403
    assert limited.get("/api/servers").status_code == 403
    whole = with_key(place, key_of(administrator, "admin")["key"])
    assert whole.get("/api/me").json()["is_admin"] is True
    assert whole.job(job)["id"] == job
    assert whole.get("/api/users").status_code == 200
    assert whole.post("/api/keys", json={"name": "another"}).status_code == 201


def test_nobody_gives_himself_more(place: Stand, anna: Person):
    answer = anna.post("/api/keys", json={"name": "x", "scopes": ["admin"]})
    assert error_of(answer)["code"] == "forbidden"
    script = with_key(place, key_of(anna)["key"])
    for method, path, body in (
        ("POST", "/api/keys", {"name": "x"}),
        ("POST", "/api/auth/sign-up", {"email": "x@example.org", "password": "correct horse"}),
        ("POST", "/api/auth/password", {"current_password": "x", "new_password": "correct horse"}),
        ("POST", "/api/auth/sign-out", {"everywhere": True}),
        ("POST", "/api/auth/session", {"token": script.headers["X-API-Key"]}),
    ):
        answer = script.request(method, path, json=body)
        assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden"), (path, answer.text)


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "  "}, {"name": "x" * 101}, {"name": "x", "scopes": []}, {"name": "x", "scopes": ["all"]},
     {"name": "x", "expires_at": "2030-01-01T00:00:00"}, {"name": "a\x00b"}, {"name": "x", "more": 1}],
)  # fmt: skip
def test_bad_input(anna: Person, body: Json):
    assert anna.post("/api/keys", json=body).status_code == 422


def test_keys_are_a_hundred_at_most(place: Stand, anna: Person):
    place.sql(
        "insert into api_keys (user_id, name, prefix, sha256) "
        "select %s, 'n', 'rsh_', gen_random_uuid()::text from generate_series(1, 99)",
        anna.id,
    )
    made = key_of(anna)
    assert anna.post("/api/keys", json={"name": "x"}).status_code == 409
    anna.delete(f"/api/keys/{made['id']}")
    key_of(anna)


def test_nobody_has_no_keys(place: Stand):
    who = place.stranger()
    assert who.get("/api/keys").status_code == 401
    assert who.post("/api/keys", json={"name": "x"}).status_code == 401
