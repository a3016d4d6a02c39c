"""The bytes of an upload come from one request at a time, and count once."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx2

from tests.integration.app.made import picture
from tests.integration.app.person import Json, Person, error_of
from tests.integration.app.stand import Stand

HEADERS = {"Content-Type": "application/octet-stream"}


def announce(person: Person, content: bytes) -> Json:
    answer = person.post("/api/uploads", json={"filename": "a.png", "size_bytes": len(content)})
    assert answer.status_code == 201, answer.text
    return answer.json()


class Slow:
    """A request that stands still after its first half until it is told to go on."""

    def __init__(self, app: Stand, person: Person, path: str, content: bytes, **headers: str) -> None:
        self._half_sent, self._go_on = threading.Event(), threading.Event()
        self._content = content
        self._pool = ThreadPoolExecutor(1)
        url = f"{app.url}{path}"
        sent = {**HEADERS, **headers, "Authorization": person.headers["Authorization"]}
        self.answer: Future[httpx2.Response] = self._pool.submit(
            lambda: httpx2.put(url, content=self._halves(), headers=sent, timeout=30, trust_env=False)
        )

    def _halves(self) -> Iterator[bytes]:
        middle = len(self._content) // 2
        yield self._content[:middle]
        self._half_sent.set()
        assert self._go_on.wait(30)
        yield self._content[middle:]

    def is_under_way(self, app: Stand, upload_id: str) -> None:
        """Wait until the app has it in hand."""
        assert self._half_sent.wait(30)
        while app.sql("select writer from uploads where id = %s", upload_id) == [(None,)]:
            pass

    def finish(self) -> httpx2.Response:
        self._go_on.set()
        answer = self.answer.result(30)
        self._pool.shutdown()
        return answer


def test_the_second_of_two_is_refused(app: Stand, anna: Person):
    created = announce(anna, picture())
    slow = Slow(app, anna, created["put_url"], picture())
    slow.is_under_way(app, created["id"])
    second = anna.put(created["put_url"], content=picture())
    assert second.status_code == 409
    assert "Another request" in error_of(second)["message"]
    first = slow.finish()
    assert first.status_code == 200, first.text
    assert anna.get(first.json()["url"]).content == picture()


def test_one_that_stands_still_loses_it(app: Stand, anna: Person):
    created = announce(anna, picture())
    slow = Slow(app, anna, created["put_url"], bytes(len(picture())))
    slow.is_under_way(app, created["id"])
    app.sql("update uploads set writing_until = now() where id = %s", created["id"])
    second = anna.put(created["put_url"], content=picture())
    assert second.status_code == 200, second.text
    assert slow.finish().status_code == 409
    assert anna.get(second.json()["url"]).content == picture(), "nothing of the first is in it"


def test_a_broken_one_can_be_tried_again_at_once(app: Stand, anna: Person):
    created = announce(anna, picture())
    assert anna.put(created["put_url"], content=picture()[:-1]).status_code == 422
    assert anna.put(created["put_url"], content=picture()).status_code == 200


def test_a_resumed_upload_takes_over(app: Stand, anna: Person):
    """The connection before it may be dead without anybody having noticed."""
    created = announce(anna, picture())
    slow = Slow(app, anna, created["content_url"], picture(), **{"Upload-Offset": "0"})
    slow.is_under_way(app, created["id"])
    resumed = anna.put(created["content_url"], content=picture(), headers={"Upload-Offset": "0"})
    assert resumed.status_code == 200, resumed.text
    assert slow.finish().status_code == 409
    assert anna.get(resumed.json()["url"]).content == picture()


def test_the_same_bytes_count_once(app: Stand, anna: Person):
    def stored() -> int:
        used: int = anna.get("/api/me").json()["use"]["bytes_stored"]
        return used

    size = len(picture())
    ids = [anna.upload(f"{n}.png", picture())["id"] for n in range(3)]
    assert stored() == size
    assert announce(anna, picture())["status"] == "waiting"
    assert stored() == 2 * size, "what is announced counts until it turns out to be known"
    for n, upload_id in enumerate(ids):
        assert stored() == 2 * size, "as long as anything has them"
        app.sql("delete from uploads where id = %s", upload_id)
        assert stored() == (size if n == 2 else 2 * size)
    app.sql("delete from uploads where user_id = %s", anna.id)
    assert stored() == 0
