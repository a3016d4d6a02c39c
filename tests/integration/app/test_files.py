"""GET /storage/…: ranges, caching, types, and who may read what."""

import pytest

from tests.integration.app.made import picture, sound
from tests.integration.app.person import Json, Person, error_of
from tests.integration.app.stand import Stand


@pytest.fixture(scope="module")
def owner(app: Stand) -> Person:
    return app.person()


@pytest.fixture(scope="module")
def job(owner: Person) -> Json:
    image = owner.uploaded("a.png", picture())
    return owner.completed(owner.submit("img2img", {"image": image, "prompt": "x"})["id"])


@pytest.fixture(scope="module")
def url(job: Json) -> str:
    return str(job["result_urls"][0])


@pytest.fixture(scope="module")
def whole(app: Stand, url: str) -> bytes:
    return (app.storage / url.removeprefix("/storage/")).read_bytes()


def test_the_whole_file(owner: Person, url: str, whole: bytes):
    answer = owner.get(url)
    assert (answer.status_code, answer.content) == (200, whole)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(whole))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"].startswith('inline; filename="output.png"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "private" in answer.headers["cache-control"]
    head = owner.head(url)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "etag", "content-type", "accept-ranges"):
        assert head.headers[name] == answer.headers[name]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=5-", 5, None), ("bytes=-7", -7, None), ("bytes=0-99999999", 0, None),
     ("bytes=10-10", 10, 11), ("bytes=-99999999", 0, None)],
)  # fmt: skip
def test_a_part(owner: Person, url: str, whole: bytes, asked: str, start: int, end: int | None):
    answer = owner.get(url, headers={"Range": asked})
    part = whole[start:end]
    first = whole.index(part) if start < 0 else start
    assert (answer.status_code, answer.content) == (206, part)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{len(whole)}"
    assert answer.headers["content-length"] == str(len(part))


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_no_such_part(owner: Person, url: str, whole: bytes, asked: str):
    answer = owner.get(url, headers={"Range": asked})
    assert (answer.status_code, error_of(answer)["code"]) == (416, "invalid_range")
    assert answer.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize(
    "asked",
    ["lines=1-2", "bytes=5-2", "bytes=-", "bytes=x-y", "bytes=0-1,4-5", "bytes", f"bytes={'9' * 5000}-"],
)
def test_a_range_that_is_none_is_passed_over(owner: Person, url: str, whole: bytes, asked: str):
    answer = owner.get(url, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, whole)


def test_caching(owner: Person, url: str, whole: bytes):
    etag = owner.get(url).headers["etag"]
    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = owner.get(url, headers={"If-None-Match": header})
        assert (answer.status_code, answer.content) == (304, b""), header
        assert answer.headers["etag"] == etag
    assert owner.get(url, headers={"If-None-Match": '"other"'}).status_code == 200
    kept = owner.get(url, headers={"Range": "bytes=0-3", "If-Range": etag})
    assert (kept.status_code, kept.content) == (206, whole[:4])
    changed = owner.get(url, headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, whole)


def test_download(owner: Person, url: str):
    answer = owner.get(url, params={"download": 1})
    assert answer.headers["content-disposition"].startswith('attachment; filename="output.png"')


def test_pictures_of_a_picture(owner: Person, job: Json):
    done = owner.until(job["id"], lambda one: one["outputs"]["files"][0]["thumb_key"])
    thumb = owner.get(f"/storage/{done['outputs']['files'][0]['thumb_key']}")
    assert (thumb.status_code, thumb.headers["content-type"]) == (200, "image/webp")


def test_strangers_find_nothing(app: Stand, owner: Person, job: Json, url: str):
    input_url = f"/storage/{job['inputs']['image']['key']}"
    assert owner.get(input_url).status_code == 200
    for who in (app.person(), app.stranger(), app.member()):
        for path in (url, input_url):
            answer = who.get(path)
            assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")
            assert who.head(path).status_code == 404
    assert app.admin().get(url).status_code == 200


def test_only_the_files_that_the_row_names(app: Stand, owner: Person, job: Json):
    """A file that lies in a job's folder without belonging to it is not served."""
    folder = f"workflows/img2img/{job['id']}"
    (app.storage / folder / "other.png").write_bytes(picture())
    assert owner.get(f"/storage/{folder}/other.png").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["..%2f..%2fsession.key", "%2e%2e/session.key", "workflows/../../session.key", "workflows//x", "%00", "a%00b",
     "workflows/img2img", "é.png", "x" * 3000, ".hidden", "uploads/x/y/z", "%ff%fe"],
)  # fmt: skip
def test_paths_that_lead_nowhere(owner: Person, path: str):
    answer = owner.get(f"/storage/{path}")
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "not_found"


def test_an_upload_is_its_owners(app: Stand, owner: Person):
    stored = owner.upload("voice.wav", sound())
    assert stored["kind"] == "audio"
    answer = owner.get(stored["url"])
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, sound(), "audio/wav")
    for who in (app.person(), app.stranger(), app.member()):
        assert who.get(stored["url"]).status_code == 404
    assert app.person().put(f"/api/uploads/{stored['id']}/content", content=sound()).status_code == 404


@pytest.mark.parametrize(
    ("filename", "content"),
    [("x.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
     ("x.html", b"<!doctype html><script>alert(1)</script>"),
     ("x.xhtml", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>')],
)  # fmt: skip
def test_what_a_browser_could_run_is_only_ever_saved(owner: Person, filename: str, content: bytes):
    stored = owner.upload(filename, content)
    answer = owner.get(stored["url"])
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"].partition(";")[0] in ("application/octet-stream", "text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_names_make_no_headers(owner: Person):
    name = 'a"; filename="b.exe";x=ü%0d%0a é.png'
    stored = owner.upload(name, picture())
    answer = owner.get(stored["url"])
    header = answer.headers["content-disposition"]
    assert header.count('"') == 2
    assert "filename*=UTF-8''a%22%3B%20filename%3D%22b.exe%22%3Bx%3D%C3%BC%250d%250a%20%C3%A9.png" in header
