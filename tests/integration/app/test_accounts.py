"""Who is who: cookies, tokens, other sites' pages, the administrator's link."""

import json
import time
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest

from tests.integration.app.person import Person, error_of
from tests.integration.app.stand import Stand

BODY = {"workflow_type": "sleep", "inputs": {"seconds": 0}}
COOKIE = "rushes_session"


def test_two_browsers_are_two_people(app: Stand):
    one, two = app.stranger(), app.stranger()
    assert one.get("/api/me").json() == {"id": None, "is_anonymous": False, "is_admin": False, "email": None}
    first = one.post("/api/jobs", json=BODY)
    assert first.status_code == 201
    cookie = first.headers["set-cookie"]
    assert COOKIE in cookie
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    two.post("/api/jobs", json=BODY)
    me, other = one.get("/api/me").json(), two.get("/api/me").json()
    assert me["id"] == first.json()["user_id"] != other["id"]
    assert (me["is_anonymous"], me["is_admin"]) == (True, False)
    assert "set-cookie" not in one.post("/api/jobs", json=BODY).headers
    assert len(one.get("/api/jobs", params={"scope": "mine"}).json()["data"]) == 2
    assert two.get(f"/api/jobs/{first.json()['id']}").status_code == 404


def test_the_page_gives_an_account(app: Stand):
    browser = app.stranger()
    browser.get("/")
    assert browser.get("/api/me").json()["id"]
    before = browser.cookies[COOKIE]
    browser.get("/")
    assert browser.cookies[COOKIE] == before


def test_the_same_account_by_cookie_and_by_token(app: Stand):
    browser = app.stranger()
    token = browser.post("/api/auth/anonymous").json()["token"]
    script = app.stranger()
    script.headers["Authorization"] = f"Bearer {token}"
    assert script.get("/api/me").json() == browser.get("/api/me").json()


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
     {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}],
)  # fmt: skip
def test_other_sites_pages_change_nothing(app: Stand, headers: dict[str, str]):
    browser = app.stranger()
    job = browser.post("/api/jobs", json=BODY).json()["id"]
    upload = {"filename": "a.png", "size_bytes": 1}
    for method, path, body in (
        ("POST", "/api/jobs", BODY),
        ("POST", "/api/uploads", upload),
        ("PUT", f"/api/uploads/{uuid4()}/content", None),
        ("POST", f"/api/jobs/{job}/cancel", None),
        ("POST", f"/api/jobs/{job}/restore", None),
        ("PATCH", f"/api/jobs/{job}", {"title": "x"}),
        ("DELETE", f"/api/jobs/{job}", None),
        ("POST", "/api/auth/anonymous", None),
    ):
        answer = browser.request(method, path, json=body, headers=headers)
        assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden"), (method, path)
    assert browser.get(f"/api/jobs/{job}", headers=headers).status_code == 200
    own = {"Sec-Fetch-Site": "same-origin", "Origin": app.url}
    assert browser.patch(f"/api/jobs/{job}", json={"title": "mine"}, headers=own).status_code == 200


def test_a_form_of_another_site_is_refused_without_fetch_metadata(app: Stand):
    browser = app.stranger()
    browser.post("/api/jobs", json=BODY)
    answer = browser.post(
        "/api/jobs", data={"workflow_type": "sleep"}, headers={"Origin": "http://127.0.0.1:1"}
    )
    assert answer.status_code == 403


def unsigned(claims: dict) -> str:
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    encoded = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, ""])


def test_tokens_that_are_none(app: Stand, anna: Person):
    key = (app.folder / "session.key").read_bytes()
    claims = {"sub": anna.id, "iss": "rushes", "aud": "authenticated", "exp": int(time.time()) + 3600}
    good = jwt.encode(claims, key, algorithm="HS256")
    forged = [
        jwt.encode(claims, b"k" * 32, algorithm="HS256"),
        jwt.encode({**claims, "exp": datetime.now(UTC) - timedelta(seconds=1)}, key, algorithm="HS256"),
        jwt.encode({**claims, "iss": "other"}, key, algorithm="HS256"),
        jwt.encode({**claims, "aud": "anon"}, key, algorithm="HS256"),
        jwt.encode({**claims, "sub": "1"}, key, algorithm="HS256"),
        jwt.encode({**claims, "sub": str(uuid4())}, key, algorithm="HS256"),
        jwt.encode({k: v for k, v in claims.items() if k != "exp"}, key, algorithm="HS256"),
        jwt.encode(claims, key + b"x" * 32, algorithm="HS512"),
        unsigned(claims),
        good[:-3] + "AAA",
        "x",
        "a.b.c",
    ]
    who = app.stranger()
    for token in forged:
        answer = who.get("/api/me", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, error_of(answer)["code"]) == (401, "unauthenticated"), token
        assert answer.headers["www-authenticate"] == "Bearer"
        assert (
            who.post("/api/jobs", json=BODY, headers={"Authorization": f"Bearer {token}"}).status_code == 401
        )
        browser = app.stranger()
        browser.cookies.set(COOKIE, token)
        assert browser.get("/api/me").json()["id"] is None
    assert who.get("/api/me", headers={"Authorization": f"Bearer {good}"}).json()["id"] == anna.id
    for odd in ("Basic YTpi", "Bearer", good):
        assert who.get("/api/me", headers={"Authorization": odd}).status_code == 401


def test_rights_come_from_the_account(app: Stand, anna: Person, bert: Person):
    """A token that says admin is as good as any other token of that account."""
    key = (app.folder / "session.key").read_bytes()
    claims = {
        "sub": bert.id, "iss": "rushes", "aud": "authenticated", "exp": datetime.now(UTC) + timedelta(hours=1),
        "role": "service_role", "app_metadata": {"role": "admin"}, "is_admin": True,
    }  # fmt: skip
    job = anna.submit("sleep", {"seconds": 0})["id"]
    who = app.stranger()
    who.headers["Authorization"] = f"Bearer {jwt.encode(claims, key, algorithm='HS256')}"
    assert who.get("/api/me").json()["is_admin"] is False
    assert who.get(f"/api/jobs/{job}").status_code == 404


def test_the_administrators_link_works_once(app: Stand, anna: Person):
    link = app.serving.sign_in_link().removeprefix(app.url)
    admin = app.stranger()
    answer = admin.get(link, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = admin.get("/api/me").json()
    assert (me["is_admin"], me["is_anonymous"]) == (True, False)
    second = app.stranger()
    answer = second.get(link, follow_redirects=False)
    assert (answer.status_code, error_of(answer)["code"]) == (401, "unauthenticated")
    assert "set-cookie" not in answer.headers
    assert second.get("/auth/link", params={"token": "x"}).status_code == 401
    assert error_of(second.get("/auth/link"))["code"] == "invalid_input"

    job = anna.submit("sleep", {"seconds": 60}, metadata={"secret": 1})["id"]
    assert job in [one["id"] for one in admin.get("/api/jobs").json()["data"]]
    assert admin.job(job)["metadata"] == {"secret": 1}
    assert admin.get(f"/api/jobs/{job}/events").status_code == 200
    assert admin.patch(f"/api/jobs/{job}", json={"title": "seen"}).json()["title"] == "seen"
    assert admin.post(f"/api/jobs/{job}/cancel").status_code == 200
    assert anna.ended(job)["status"] == "cancelled"


def test_someone_elses_upload_is_no_input(app: Stand, anna: Person, bert: Person):
    upload = anna.upload("a.txt", b"hello")
    answer = bert.post(
        "/api/jobs",
        json={"workflow_type": "img2img", "inputs": {"image": {"upload_id": upload["id"]}, "prompt": "x"}},
    )
    assert set(error_of(answer)["details"]["fields"]) == {"image"}
