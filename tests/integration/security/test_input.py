"""What somebody sends: addresses, archives, pictures, names and SQL, each in the hope that it is more than that."""

import gzip
import secrets
import socket
import threading
import time
import zlib
from collections.abc import Iterator

import pytest

from tests.integration.app.made import picture
from tests.integration.app.person import Person, error_of
from tests.integration.app.stand import Stand

SQL = [
    "'; DROP TABLE workflow_jobs; --",
    "') OR 1=1 --",
    "\\'; SELECT pg_sleep(10); --",
    "%s %(x)s {x} $1 :x",
    "a' || (SELECT sha256 FROM api_keys) || '",
    "x:* & !y | <-> (((",
]


class Ear:
    """Listens, and counts who comes."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.came = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.came += 1  # before whoever came gets to know
            connection.close()

    def close(self) -> None:
        # or the thread would go on waiting
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


# --- addresses --------------------------------------------------------------------------------------


def test_no_input_makes_us_fetch_an_address(place: Stand, anna: Person, ear: Ear) -> None:
    address = f"{ear.url}/x.png"
    for image in (address, {"url": address}, {"key": address}, {"filename": address}, {"upload_id": address}):
        answer = anna.post(
            "/api/jobs", json={"workflow_type": "img2img", "inputs": {"image": image, "prompt": "x"}}
        )
        assert answer.status_code in (400, 404, 422), answer.text
    stored = anna.uploaded("a.png", picture())
    job = anna.submit("img2img", {"image": stored, "prompt": address}, title=address)
    assert anna.job(job["id"])["inputs"]["prompt"] == address, "it is text, and stays text"
    anna.upload("a.svg", f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{address}"/></svg>'.encode())
    anna.upload("a.m3u8", f"#EXTM3U\n#EXTINF:1,\n{address}\n".encode())
    anna.upload("a.txt", f'<!DOCTYPE a [<!ENTITY b SYSTEM "{address}">]><a>&b;</a>'.encode())
    assert ear.came == 0


def test_only_administrators_name_servers(place: Stand, anna: Person, ear: Ear) -> None:
    for person in (place.stranger(), anna, place.member()):
        answer = person.post("/api/servers", json={"url": ear.url})
        assert answer.status_code == 403, answer.text
    assert ear.came == 0
    for url in ("file:///etc/passwd", "gopher://127.0.0.1", "ftp://127.0.0.1/x", "//127.0.0.1", "http://"):
        answer = place.admin().post("/api/servers", json={"url": url})
        assert answer.status_code in (400, 422), answer.text
    place.admin().post("/api/servers", json={"url": ear.url})
    assert ear.came > 0, "and the ear would have heard"


# --- bombs ------------------------------------------------------------------------------------------


def quick(began: float) -> bool:
    return time.monotonic() - began < 5


def test_a_packed_body_is_not_unpacked(anna: Person) -> None:
    """A hundred kilobytes that would be a hundred megabytes."""
    packed = gzip.compress(b'{"workflow_type": "' + b"x" * (100 << 20) + b'"}', 9)
    began = time.monotonic()
    answer = anna.post(
        "/api/jobs", content=packed, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
    )
    assert answer.status_code in (400, 415, 422), answer.text
    assert quick(began)


def test_a_picture_with_a_text_that_unpacks_to_much_more(anna: Person) -> None:
    whole = picture()
    text = b"zTXtComment\0\0" + zlib.compress(b"\0" * (100 << 20), 9)
    chunk = (len(text) - 4).to_bytes(4) + text + zlib.crc32(text).to_bytes(4)
    began = time.monotonic()
    bomb = whole[:33] + chunk + whole[33:]
    created = anna.post("/api/uploads", json={"filename": "a.png", "size_bytes": len(bomb)}).json()
    answer = anna.put(created["put_url"], content=bomb)
    assert answer.status_code in (200, 422), answer.text
    assert quick(began)


def test_entities_that_grow(anna: Person) -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    laughs = f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "ha">{lines}]>'
    began = time.monotonic()
    stored = anna.upload("a.svg", f'{laughs}<svg xmlns="http://www.w3.org/2000/svg">&l11;</svg>'.encode())
    assert quick(began)
    answer = anna.get(stored["url"])
    assert answer.headers["content-type"].partition(";")[0] in ("application/octet-stream", "text/plain")
    assert "sandbox" in answer.headers["content-security-policy"]


def test_an_archive_is_only_bytes(anna: Person) -> None:
    """Nothing of ours opens one, so there is nothing to unpack or to climb out of."""
    content = b"PK\x03\x04" + secrets.token_bytes(200)
    stored = anna.upload("../../a.zip".rpartition("/")[2], content)
    answer = anna.get(stored["url"])
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"inputs":' * 50_000, '{"workflow_type": ' + "9" * 100_000 + "}"]
)
def test_json_that_is_deep_or_long(anna: Person, body: str) -> None:
    began = time.monotonic()
    answer = anna.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert quick(began)


# --- SQL and markup, where text is kept ---------------------------------------------------------------


@pytest.mark.parametrize("text", SQL)
def test_sql_is_text(place: Stand, anna: Person, text: str) -> None:
    began = time.monotonic()
    stored = anna.uploaded("a.png", picture())
    job = anna.submit("img2img", {"image": stored, "prompt": text}, title=text)["id"]
    assert anna.patch(f"/api/jobs/{job}", json={"tags": [text], "title": text}).status_code == 200
    shown = anna.job(job)
    assert (shown["title"], shown["tags"], shown["inputs"]["prompt"]) == (text, [text], text)
    by_tag = anna.get("/api/jobs", params={"tag": text}).json()["data"]
    assert [one["id"] for one in by_tag] == [job]
    for name in ("q", "job_id", "workflow_type", "after", "status", "kind"):
        answer = anna.get("/api/jobs", params={name: text})
        assert answer.status_code in (200, 400, 422), answer.text
    assert anna.get("/api/jobs/counts", params={"q": text}).status_code == 200
    for path in (f"/api/jobs/{text}", f"/storage/workflows/img2img/{job}/{text}", f"/api/workflows/{text}"):
        assert anna.get(path).status_code in (404, 422)
    assert place.sql("SELECT count(*) FROM workflow_jobs WHERE id = %s", job) == [(1,)]
    assert quick(began)


def test_markup_is_text(anna: Person) -> None:
    """Answers are JSON that no browser takes for a page; the page writes text, never markup."""
    text = "</script><img src=x onerror=alert(1)>"
    stored = anna.uploaded("a.png", picture())
    job = anna.submit("img2img", {"image": stored, "prompt": text}, title=text)["id"]
    for path in (f"/api/jobs/{job}", "/api/jobs", f"/api/jobs/{text}", f"/{text}"):
        answer = anna.get(path)
        assert answer.headers["content-type"].startswith("application/json"), path
        assert answer.headers["x-content-type-options"] == "nosniff"


# --- one secret in the place of another ---------------------------------------------------------------


def test_each_secret_opens_its_own_door(place: Stand, administrator: Person) -> None:
    email = f"{secrets.token_hex(4)}@example.org"
    made = administrator.post("/api/users", json={"email": email})
    assert made.status_code == 201, made.text
    password_link = next(
        str(value) for value in made.json().values() if "token=" in str(value) or "#" in str(value)
    )
    password_token = password_link.rpartition("=")[2]
    printed = place.serving.sign_in_link().rpartition("=")[2]
    session = administrator.headers.get("Authorization", "").partition(" ")[2] or next(
        iter(administrator.cookies.values())
    )
    guest = place.stranger()
    for token in (password_token, session, "", "x" * 32):
        answer = guest.get("/auth/link", params={"token": token}, follow_redirects=False)
        assert answer.status_code == 401, "only a sign-in link signs in"
        assert "set-cookie" not in answer.headers
    for token in (printed, session):
        answer = guest.post(
            "/api/auth/password", json={"token": token, "new_password": "long enough to be one"}
        )
        assert answer.status_code == 401, "only a password link sets a password"
    for token in (printed, password_token):
        answer = guest.get("/api/me", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, error_of(answer)["code"]) == (401, "unauthenticated"), (
            "no link is a session"
        )
    assert guest.get("/auth/link", params={"token": printed}, follow_redirects=False).status_code == 303
