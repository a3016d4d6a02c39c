"""Passwords: claim an anonymous account, sign in elsewhere, sign out here and everywhere, links, uniform answers."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher

from rushes.domain.errors import Unauthenticated
from rushes.web import events
from tests.integration.app.database import app_database
from tests.integration.app.person import Json, Person, error_of
from tests.integration.app.stand import Stand

COOKIE = "rushes_session"
PASSWORD = "correct horse battery"
JOB = {"workflow_type": "sleep", "inputs": {"seconds": 0}}


def fresh_email() -> str:
    return f"{uuid4().hex[:10]}@example.org"


def sign_up(person: Person, email: str, password: str = PASSWORD) -> Json:
    answer = person.post("/api/auth/sign-up", json={"email": email, "password": password})
    assert answer.status_code == 201, answer.text
    return answer.json()


def sign_in(person: Person, email: str, password: str = PASSWORD) -> int:
    return person.post("/api/auth/sign-in", json={"email": email, "password": password}).status_code


def test_claim_in_one_browser_and_sign_in_in_another(place: Stand):
    first, second, email = place.stranger(), place.stranger(), fresh_email()
    job = first.post("/api/jobs", json=JOB).json()
    claimed = sign_up(first, email.upper() + " ")
    assert claimed["user"]["id"] == job["user_id"]
    assert (claimed["user"]["email"], claimed["user"]["is_anonymous"]) == (email, False)
    assert first.get("/api/me").json()["is_anonymous"] is False
    assert second.get(f"/api/jobs/{job['id']}").status_code == 404
    assert sign_in(second, email) == 200
    assert second.get("/api/me").json()["id"] == job["user_id"]
    assert second.job(job["id"])["id"] == job["id"]
    assert second.get("/api/me").json()["email"] == email


def test_sign_up_without_an_account(place: Stand):
    browser, email = place.stranger(), fresh_email()
    answer = browser.post("/api/auth/sign-up", json={"email": email, "password": PASSWORD})
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert browser.get("/api/me").json()["email"] == email
    again = browser.post("/api/auth/sign-up", json={"email": fresh_email(), "password": PASSWORD})
    assert error_of(again)["code"] == "conflict"
    other = place.stranger()
    taken = other.post("/api/auth/sign-up", json={"email": email.upper(), "password": PASSWORD})
    assert error_of(taken)["code"] == "conflict"
    assert other.get("/api/me").json()["id"] is None


def test_the_password_is_stored_as_argon2(place: Stand):
    email = fresh_email()
    user_id = sign_up(place.stranger(), email)["user"]["id"]
    ((stored,),) = place.sql("select password_hash from rushes.accounts where user_id = %s", user_id)
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [("x", PASSWORD, "email"), ("a@", PASSWORD, "email"), ("@b", PASSWORD, "email"), ("a b@c.d", PASSWORD, "email"),
     ("a" * 250 + "@b.de", PASSWORD, "email"), ("a@b@c", PASSWORD, "email"), ("a\n@b.de", PASSWORD, "email"),
     ("a@b.de", "short", "password"), ("a@b.de", "x" * 201, "password"), ("a@b.de", "aaaaaaaaaa", "password")],
)  # fmt: skip
def test_bad_input(place: Stand, email: str, password: str, field: str):
    answer = place.stranger().post("/api/auth/sign-up", json={"email": email, "password": password})
    assert (answer.status_code, error_of(answer)["details"]["field"]) == (422, field)


def test_wrong_and_unknown_get_the_same_answer(place: Stand):
    known, without = fresh_email(), fresh_email()
    sign_up(place.stranger(), known)
    place.sql("insert into auth.users (id, email) values (%s, %s)", uuid4(), without)
    who, answers = place.stranger(), set()
    for email in (known, fresh_email(), without, "administrator@localhost", "no address at all", "x\ud7ff"):
        answer = who.post("/api/auth/sign-in", json={"email": email, "password": "wrong password"})
        answers.add((answer.status_code, answer.text, "set-cookie" in answer.headers))
    assert len(answers) == 1
    assert '"unauthenticated"' in next(iter(answers))[1]


def test_wrong_and_unknown_take_the_same_work(place: Stand, monkeypatch: pytest.MonkeyPatch):
    """One argon2 verification each; a stop watch would only measure the machine's other work."""
    known, without = fresh_email(), fresh_email()
    sign_up(place.stranger(), known)
    place.sql("insert into auth.users (id, email) values (%s, %s)", uuid4(), without)
    local = place.at.people.local
    assert local
    place.do(lambda: local.sign_in(known, PASSWORD, address=None))
    done: list[str] = []
    monkeypatch.setattr(PasswordHasher, "verify", counted(PasswordHasher.verify, done))
    monkeypatch.setattr(PasswordHasher, "hash", counted(PasswordHasher.hash, done))
    for email in (known, without, fresh_email()):
        done.clear()
        with pytest.raises(Unauthenticated):
            place.do(partial(local.sign_in, email, "wrong password", address=None))
        assert done == ["verify"], email


def counted(method: Any, done: list[str]) -> Any:
    def run(*args: Any) -> Any:
        done.append(method.__name__)
        return method(*args)

    return run


def test_sign_out_here(place: Stand):
    first, second, email = place.stranger(), place.stranger(), fresh_email()
    sign_up(first, email)
    sign_in(second, email)
    kept = first.cookies[COOKIE]
    assert first.post("/api/auth/sign-out").status_code == 204
    assert COOKIE not in first.cookies
    assert first.get("/api/me").json()["id"] is None
    assert second.get("/api/me").json()["email"] == email
    thief = place.stranger()
    assert thief.get("/api/me", headers={"Authorization": f"Bearer {kept}"}).status_code == 401
    thief.cookies.set(COOKIE, kept)
    assert thief.get("/api/me").json()["id"] is None
    assert first.post("/api/auth/sign-out").status_code == 204, "whoever is out stays out"
    assert sign_in(first, email) == 200


def test_sign_out_everywhere(place: Stand):
    people, email = [place.stranger() for _ in range(3)], fresh_email()
    sign_up(people[0], email)
    assert [sign_in(one, email) for one in people[1:]] == [200, 200]
    assert people[1].post("/api/auth/sign-out", json={"everywhere": True}).status_code == 204
    assert [one.get("/api/me").json()["id"] for one in people] == [None] * 3
    assert sign_in(people[2], email) == 200
    assert people[2].get("/api/me").json()["email"] == email


def test_change_the_password(place: Stand):
    here, there, email = place.stranger(), place.stranger(), fresh_email()
    sign_up(here, email)
    sign_in(there, email)
    body = {"current_password": "not it at all", "new_password": "another long one"}
    assert error_of(here.post("/api/auth/password", json=body))["code"] == "forbidden"
    body["current_password"] = PASSWORD
    assert here.post("/api/auth/password", json=body | {"new_password": "short"}).status_code == 422
    assert here.post("/api/auth/password", json=body).status_code == 200
    assert here.get("/api/me").json()["email"] == email, "whoever changed it stays in"
    assert there.get("/api/me").json()["id"] is None
    assert sign_in(there, email) == 401
    assert sign_in(there, email, "another long one") == 200
    assert place.stranger().post("/api/auth/password", json=body).status_code == 401
    assert here.post("/api/auth/password", json={"new_password": PASSWORD}).status_code == 422
    assert place.person().post("/api/auth/password", json=body).status_code == 409, (
        "anonymous: nothing to change"
    )


def test_a_reset_link(place: Stand, administrator: Person):
    lost, thief, email = place.stranger(), place.stranger(), fresh_email()
    user_id = sign_up(lost, email)["user"]["id"]
    assert sign_in(thief, email) == 200
    first = administrator.post(f"/api/users/{user_id}/link").json()
    second = administrator.post(f"/api/users/{user_id}/link").json()
    assert second["url"] == f"{place.url}/#set-password={second['token']}"
    (stored,) = place.sql("select string_agg(l::text, ' ') from rushes.account_links as l")[0]
    assert second["token"] not in stored

    def reset(token: str, password: str = "brand new words") -> int:
        answer = lost.post("/api/auth/password", json={"token": token, "new_password": password})
        return answer.status_code

    assert reset(first["token"]) == 401, "the newer one counts"
    assert reset(second["token"], "short") == 422
    assert reset(second["token"]) == 200, "a bad password doesn't use it up"
    assert reset(second["token"]) == 401
    assert reset("x") == 401
    assert lost.get("/api/me").json()["email"] == email
    assert thief.get("/api/me").json()["id"] is None
    assert sign_in(place.stranger(), email) == 401
    assert sign_in(place.stranger(), email, "brand new words") == 200
    third = administrator.post(f"/api/users/{user_id}/link").json()
    place.sql("update rushes.account_links set expires_at = now() - interval '1 second'")
    assert reset(third["token"]) == 401
    assert lost.post(f"/api/users/{user_id}/link").status_code == 403


@pytest.mark.parametrize("path", ["sign-up", "sign-in", "sign-out", "password", "session", "anonymous"])
def test_other_sites_pages_sign_nobody_in_or_out(place: Stand, path: str):
    browser, email = place.stranger(), fresh_email()
    sign_up(browser, email)
    account = {"email": email, "password": PASSWORD}
    body: Json = {
        "sign-up": account, "sign-in": account, "session": {"token": browser.cookies[COOKIE]},
        "password": {"new_password": PASSWORD, "current_password": "x"},
    }.get(path, {})  # fmt: skip
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = browser.post(f"/api/auth/{path}", json=body, headers=headers)
        assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden")
    assert browser.get("/api/me").json()["email"] == email


def test_sign_up_can_be_off(postgres_server: str, tmp_path):
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path, dispatchers=0, sign_up="off", anonymous="off") as stand,
    ):
        who, body = stand.stranger(), {"email": fresh_email(), "password": PASSWORD}
        assert who.get("/api/auth").json() == {
            "kinds": ["local"], "anonymous": False, "sign_up": False, "supabase_url": None,
        }  # fmt: skip
        assert error_of(who.post("/api/auth/sign-up", json=body))["code"] == "forbidden"
        assert who.post("/api/auth/anonymous").status_code == 401
        who.get("/")
        assert who.get("/api/me").json()["id"] is None
        added = stand.admin().post("/api/users", json={"email": body["email"]})
        assert added.status_code == 201
        token = added.json()["link"]["token"]
        set_it = who.post("/api/auth/password", json={"token": token, "new_password": PASSWORD})
        assert set_it.status_code == 200
        assert who.get("/api/me").json()["email"] == body["email"]


def test_a_token_of_another_sign_in_becomes_the_cookie(place: Stand):
    email = fresh_email()
    token = sign_up(place.stranger(), email)["token"]
    browser = place.stranger()
    assert browser.post("/api/auth/session", json={"token": "x"}).status_code == 401
    assert browser.post("/api/auth/session", json={"token": token}).status_code == 204
    assert browser.get("/api/me").json()["email"] == email


def test_whoever_is_signed_out_hears_no_more(place: Stand, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(events, "CHECK_SECONDS", 0.1)
    browser, email = place.stranger(), fresh_email()
    sign_up(browser, email)
    other = place.stranger()
    sign_in(other, email)
    with other.stream("GET", "/api/events", timeout=20) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("id:")
        browser.post("/api/auth/sign-out", json={"everywhere": True})
        assert "event: job" not in list(lines), "the stream ends"
    key = place.stranger()
    key.headers["X-API-Key"] = place.person().post("/api/keys", json={"name": "x"}).json()["key"]
    with key.listening() as feed:
        key.post("/api/jobs", json=JOB)
        assert feed.until(lambda event: event.name == "job"), "others hear on"
