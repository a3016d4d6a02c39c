"""What a page of another site can do with somebody's browser: nothing."""

import time
from pathlib import Path
from uuid import uuid4

import pytest

from rushes.web.app import create_app
from tests.integration.app.database import app_database
from tests.integration.app.person import Person, error_of
from tests.integration.app.stand import Stand

# These know nobody by a cookie, or take a secret in the body; those of them that set one refuse, too.
CHANGES = [
    (method.upper(), path)
    for path, methods in create_app(None).openapi()["paths"].items()
    for method in methods
    if method not in ("get", "head")
]


def filled(path: str) -> str:
    for name in ("job_id", "upload_id", "server_id", "key_id", "user_id"):
        path = path.replace(f"{{{name}}}", str(uuid4()))
    return path.replace("{workflow_type}", "img2img")


@pytest.mark.parametrize("call", CHANGES, ids=" ".join)
def test_every_call_that_changes_something_refuses_them(browser: Person, call: tuple[str, str]) -> None:
    method, path = call
    bodies = {
        "email": "a@example.org",
        "password": "long enough",
        "token": "x",
        "new_password": "long enough",
    }
    wanted = {
        "/api/auth/sign-up": ("email", "password"),
        "/api/auth/sign-in": ("email", "password"),
        "/api/auth/session": ("token",),
        "/api/auth/password": ("token", "new_password"),
    }.get(path, ())
    body = {name: bodies[name] for name in wanted}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        answer = browser.request(method, filled(path), json=body, headers=headers)
        assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden"), answer.text
        assert "set-cookie" not in answer.headers


def test_no_other_origin_may_read_answers(browser: Person) -> None:
    for path in ("/api/me", "/api/jobs", "/"):
        answer = browser.get(path, headers={"Origin": "https://elsewhere.example"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = browser.request("OPTIONS", "/api/jobs", headers=asked)
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "elsewhere.example:8600", "127.0.0.1.elsewhere.example", ""]
)
@pytest.mark.parametrize("path", ["/", "/api/me", "/metrics", "/docs"])
def test_a_name_of_theirs_that_leads_here(browser: Person, host: str, path: str) -> None:
    """DNS rebinding: for the browser it is one origin."""
    answer = browser.get(path, headers={"Host": host, "Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, error_of(answer)["code"]) == (421, "unknown_host")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8600", "127.0.0.1:1", "[::1]:8600", "rushes.localhost"]
)
def test_names_of_this_machine(browser: Person, host: str) -> None:
    assert browser.get("/api/me", headers={"Host": host}).status_code == 200


def test_scripts_come_under_any_name(anna: Person) -> None:
    assert anna.get("/api/me", headers={"Host": "host.docker.internal:8600"}).json()["id"] == anna.id


def test_the_address_that_people_use_is_known(postgres_server: str, tmp_path: Path) -> None:
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path, dispatchers=0, public_url="https://rushes.example:8443/") as stand,
    ):
        end = time.monotonic() + 10
        while not stand.serving.server.started:
            assert time.monotonic() < end
            time.sleep(0.01)
        port = stand.serving.server.servers[0].sockets[0].getsockname()[1]
        with Person(f"http://127.0.0.1:{port}") as guest:
            assert guest.get("/api/me", headers={"Host": "rushes.example:8443"}).status_code == 200
            assert guest.get("/api/me", headers={"Host": "elsewhere.example"}).status_code == 421


@pytest.mark.parametrize(
    "query",
    ["next=https://elsewhere.example", "redirect_to=//elsewhere.example", "next=%0d%0aSet-Cookie:a=b"],
)
def test_a_sign_in_link_leads_nowhere_else(place: Stand, query: str) -> None:
    link = place.serving.sign_in_link().removeprefix(place.url)
    answer = place.stranger().get(f"{link}&{query}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "path",
    ["//elsewhere.example", "//elsewhere.example/", "/\\elsewhere.example/", "/api/jobs//elsewhere.example/"],
)
def test_no_path_redirects_to_another_site(place: Stand, path: str) -> None:
    answer = place.stranger().get(place.url + path, follow_redirects=False)
    assert answer.headers.get("location", place.url).startswith((place.url, "/api/", "/?"))
    assert not answer.headers.get("location", "").startswith("//")


def test_the_page_loads_only_its_own(browser: Person) -> None:
    for path in ("/", "/docs"):
        answer = browser.get(path, headers={"Accept": "text/html"})
        policy = answer.headers.get("content-security-policy", "")
        if answer.status_code == 503:
            pytest.skip("the page is not built")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert (
            "script-src" not in policy
            or "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        )
        assert "https://" not in answer.text.replace("https://www.w3.org", ""), "nothing from elsewhere"


def test_docs_run_nothing(browser: Person) -> None:
    answer = browser.get("/docs")
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    described = browser.get("/openapi.json").json()
    for path in described["paths"]:
        assert path in answer.text
    for name in described["components"]["schemas"]:
        assert f"id='{name}'" in answer.text
