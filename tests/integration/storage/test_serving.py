"""/storage/… on each kind of store: who is sent to the store, who is served here, and that nothing is executed."""

import httpx2
import pytest

from tests.integration.app.made import picture
from tests.integration.app.person import Json, Person
from tests.integration.app.stand import Stand

IMAGE = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}
SCRIPT = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"}
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><script>alert(1)</script></svg>'


def browser(app: Stand) -> Person:
    """Somebody with a cookie of their own."""
    person = app.stranger()
    assert person.post("/api/auth/anonymous").status_code == 201
    return person


def job(person: Person) -> Json:
    image = person.uploaded("a.png", picture())
    return person.completed(person.submit("img2img", {"image": image, "prompt": "x"})["id"])


def elsewhere(answer: httpx2.Response, **headers: str) -> httpx2.Response:
    """What is there where the answer leads, for somebody without any credentials."""
    assert answer.status_code == 307, answer.text
    return httpx2.get(answer.headers["location"], headers=headers, trust_env=False)


def test_a_job_s_files_are_served_on_every_store(app: Stand):
    person = browser(app)
    done = job(person)
    url = done["result_urls"][0]
    here = person.get(url, headers=SCRIPT)
    assert (here.status_code, here.headers["content-type"]) == (200, "image/png")
    head = person.head(url, headers=IMAGE)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(here.content)))
    part = person.get(url, headers={**SCRIPT, "Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, here.content[5:10])
    same = person.get(url, headers={**SCRIPT, "If-None-Match": here.headers["etag"]})
    assert same.status_code == 304
    shown = person.get(url, headers=IMAGE, follow_redirects=True)
    assert (shown.status_code, shown.content) == (200, here.content)
    assert browser(app).get(url, headers=IMAGE).status_code == 404
    previews = app.sql("SELECT outputs FROM public.workflow_jobs WHERE id = %s", done["id"])
    assert previews[0][0]["files"][0]["sha256"]


def test_a_browser_is_sent_to_the_store(far_app: Stand):
    person = browser(far_app)
    url = job(person)["result_urls"][0]
    whole = person.get(url, headers=SCRIPT).content
    answer = person.get(url, headers=IMAGE)
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert answer.headers["location"].startswith(far_app.at.storage.signed_origin or "none")
    shown = elsewhere(answer)
    assert (shown.content, shown.headers["content-type"]) == (whole, "image/png")
    assert not shown.headers.get("content-disposition", "").startswith("attachment")
    part = elsewhere(answer, Range="bytes=0-3")
    assert (part.status_code, part.content) == (206, whole[:4])
    saved = elsewhere(person.get(f"{url}?download=1", headers=IMAGE))
    assert saved.headers["content-disposition"].startswith("attachment; filename=")
    assert "output.png" in saved.headers["content-disposition"]


def test_credentials_are_never_taken_along(far_app: Stand):
    person = far_app.person()
    url = job(person)["result_urls"][0]
    assert "Authorization" in person.headers
    assert person.get(url, headers=IMAGE).status_code == 200


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("x.html", HTML, "text/html"), ("x.svg", SVG, "image/svg+xml"), ("x.html", HTML, "image/svg+xml")],
)
def test_nothing_is_executed_from_the_store_either(far_app: Stand, name: str, content: bytes, said: str):
    person = browser(far_app)
    created = person.post(
        "/api/uploads", json={"filename": name, "size_bytes": len(content), "content_type": said}
    )
    stored = person.put(created.json()["put_url"], content=content)
    if stored.status_code == 422:
        return  # not what it is said to be
    url = stored.json()["url"]
    answer = elsewhere(person.get(url, headers={"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}))
    assert answer.content == content
    assert answer.headers["content-type"].startswith("application/octet-stream")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert name in answer.headers["content-disposition"]


def test_the_page_may_load_from_the_store(app: Stand):
    origin = app.at.storage.signed_origin
    policy = app.stranger().get("/").headers.get("content-security-policy", "")
    if "default-src" not in policy:
        pytest.skip("the page is not built")
    for part in ("img-src 'self'", "media-src 'self'", "connect-src 'self'"):
        assert (f"{part} {origin}" if origin else part) in policy
