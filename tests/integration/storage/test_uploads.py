"""Uploads: straight to the store, in parts, and the same bytes once."""

import asyncio
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from rushes.services.maintenance import Maintenance
from rushes.services.outbox import OutboxWork
from tests.integration.app.made import clip, picture
from tests.integration.app.person import Json, Person
from tests.integration.app.stand import Stand


def keys(app: Stand, prefix: str) -> list[str]:
    async def listed() -> list[str]:
        return [found.key async for found in app.at.storage.list(prefix)]

    return app.do(listed)


def until_kept(app: Stand, folder: str, expected: list[str]) -> None:
    """Until maintenance, here or in the dispatcher, has left these keys."""
    end = time.monotonic() + 20
    while (found := keys(app, folder)) != expected:
        assert time.monotonic() < end, found
        tidy(app)
        time.sleep(0.05)


def tidy(app: Stand) -> None:
    """A round of maintenance."""
    at = app.at
    maintenance = Maintenance(
        queue=at.queue,
        servers=at.servers,
        outbox=OutboxWork(outbox=at.outbox, storage=at.storage),
        retention=at.retention,
        fleet=at.fleet,
        previews=at.previews,
    )
    app.do(maintenance.once)


def announce(person: Person, name: str, content: bytes, **more: Any) -> Json:
    answer = person.post("/api/uploads", json={"filename": name, "size_bytes": len(content), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def film(size: int) -> bytes:
    """A real clip, with much behind it that no player looks at."""
    start = clip(1)
    rest = size - len(start) - 8
    return (
        start
        + (rest + 8).to_bytes(4, "big")
        + b"free"
        + bytes(range(256)) * (rest // 256)
        + bytes(rest % 256)
    )


# --- straight to the store ------------------------------------------------------------------------


def test_straight_to_the_store(far_app: Stand):
    person = far_app.person()
    created = announce(person, "é x.png", picture(), content_type="image/png", direct=True)
    early = person.post(created["confirm_url"])
    assert (early.status_code, early.json()["error"]["code"]) == (409, "conflict")
    sent = httpx2.put(created["put_url"], content=picture(), headers=created["put_headers"], trust_env=False)
    assert sent.status_code == 200, sent.text
    stored = person.post(created["confirm_url"])
    assert stored.status_code == 200, stored.text
    assert stored.json() == {**stored.json(), "status": "stored", "width": 96, "content_type": "image/png"}
    assert person.post(created["confirm_url"]).status_code == 409
    done = person.completed(
        person.submit("img2img", {"image": {"upload_id": created["id"]}, "prompt": "x"})["id"]
    )
    assert person.get(f"/storage/{done['inputs']['image']['key']}").content == picture()


def test_what_was_confirmed_can_t_be_changed_by_the_same_url(far_app: Stand):
    person = far_app.person()
    created = announce(person, "x.png", picture(), content_type="image/png", direct=True)

    def put(content: bytes) -> int:
        return httpx2.put(
            created["put_url"], content=content, headers=created["put_headers"], trust_env=False
        ).status_code

    assert put(picture()) == 200
    stored = person.post(created["confirm_url"]).json()
    put(b"x" * len(picture()))
    assert person.get(stored["url"]).content == picture()


def test_what_is_put_straight_is_looked_into_all_the_same(far_app: Stand):
    person = far_app.person()
    for content, size in ((b"no picture at all", 17), (picture()[:-50], len(picture()))):
        created = announce(person, "x.png", b"x" * size, content_type="image/png", direct=True)
        httpx2.put(created["put_url"], content=content, headers=created["put_headers"], trust_env=False)
        answer = person.post(created["confirm_url"])
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_file")
        assert [key for key in keys(far_app, f"uploads/{person.id}/") if created["id"] in key] in (
            [],
            [f"uploads/{person.id}/{created['id']}-parts/whole"],
        )


def test_others_can_t_confirm_it(far_app: Stand):
    created = announce(far_app.person(), "x.png", picture(), direct=True)
    assert far_app.person().post(created["confirm_url"]).status_code == 404


def test_a_local_store_takes_it_through_the_api(local_app: Stand):
    person = local_app.person()
    created = announce(person, "x.png", picture(), direct=True)
    assert (created["put_url"], created["confirm_url"]) == (created["content_url"], None)
    assert person.put(created["put_url"], content=picture()).status_code == 200


def test_large_files_may_go_by_tus(supabase_app: Stand):
    person = supabase_app.person()
    created = announce(person, "x.mp4", film(7_000_000), content_type="video/mp4", direct=True)
    assert created["tus"]["chunk_bytes"] == 6 * 1024 * 1024
    assert announce(person, "x.png", picture(), direct=True)["tus"] is None


# --- in parts ---------------------------------------------------------------------------------------


def part(person: Person, created: Json, offset: int, content: bytes) -> httpx2.Response:
    return person.put(created["content_url"], content=content, headers={"Upload-Offset": str(offset)})


def offset_of(person: Person, created: Json) -> int:
    answer = person.head(created["content_url"])
    assert (answer.status_code, answer.headers["Upload-Length"]) == (200, str(created["size_bytes"]))
    return int(answer.headers["Upload-Offset"])


def test_in_parts(app: Stand, anna: Person):
    content = film(700_000)
    created = announce(anna, "x.mp4", content, content_type="video/mp4")
    assert offset_of(anna, created) == 0
    for begin, end in ((0, 300_000), (300_000, 300_001), (300_001, 650_000)):
        answer = part(anna, created, begin, content[begin:end])
        assert (answer.status_code, answer.json()["offset"]) == (202, end)
        assert offset_of(anna, created) == end == int(answer.headers["Upload-Offset"])
    wrong = part(anna, created, 300_000, b"x")
    assert (wrong.status_code, wrong.json()["error"]["details"]) == (409, {"offset": 650_000})
    last = part(anna, created, 650_000, content[650_000:])
    assert last.status_code == 200, last.text
    assert (last.json()["kind"], last.json()["size_bytes"]) == ("video", len(content))
    assert anna.get(last.json()["url"]).content == content
    assert offset_of(anna, created) == len(content)
    assert keys(app, f"uploads/{anna.id}/{created['id']}-parts/") == []


def test_a_broken_connection_keeps_what_came(app: Stand, anna: Person):
    content = film(3_000_000)
    created = announce(anna, "x.mp4", content, content_type="video/mp4")
    where = urlsplit(app.url)
    with socket.create_connection((where.hostname, where.port)) as line:
        head = (
            f"PUT {created['content_url']} HTTP/1.1\r\nHost: x\r\nUpload-Offset: 0\r\n"
            f"Authorization: {anna.headers['Authorization']}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        line.sendall(head.encode() + content[:2_000_000])
    end = time.monotonic() + 15
    while not (came := offset_of(anna, created)):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert came == 2_000_000
    done = part(anna, created, came, content[came:])
    assert done.status_code == 200, done.text
    assert anna.get(done.json()["url"]).content == content


def test_more_than_was_announced(app: Stand, anna: Person):
    created = announce(anna, "x.bin", b"12345")
    assert part(anna, created, 0, b"123").status_code == 202
    answer = part(anna, created, 3, b"456")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_file")


def test_parts_of_an_upload_that_is_given_up_go(app: Stand, anna: Person):
    created = announce(anna, "x.bin", b"12345")
    part(anna, created, 0, b"123")
    folder = f"uploads/{anna.id}/"
    assert len(keys(app, folder)) == 1
    app.sql("UPDATE public.uploads SET expires_at = now() - interval '1 second' WHERE id = %s", created["id"])
    until_kept(app, folder, [])


# --- the same bytes once ----------------------------------------------------------------------------


def test_the_same_bytes_are_kept_once(app: Stand, anna: Person):
    content = picture(40, 30)
    first, second = anna.upload("one.png", content), anna.upload("two.PNG", content)
    other = anna.upload("three.bin", content)
    assert len({first["url"], second["url"], other["url"]}) == 3
    assert 'filename="two.PNG"' in anna.get(second["url"]).headers["content-disposition"]
    folder = f"uploads/{anna.id}/"
    kept, rest = (one["url"].removeprefix("/storage/") for one in (first, other))
    until_kept(app, folder, [kept, rest])
    app.do(lambda: app.at.upload_store.discard(first["id"]))
    tidy(app)
    assert anna.get(second["url"]).content == content
    done = anna.completed(anna.submit("img2img", {"image": {"upload_id": second["id"]}, "prompt": "x"})["id"])
    assert done["inputs"]["image"]["filename"] == "two.PNG"
    assert anna.get(f"/storage/{done['inputs']['image']['key']}").content == content
    app.do(lambda: app.at.upload_store.discard(second["id"]))
    until_kept(app, folder, [rest])


def test_of_others_nothing_is_shared(app: Stand, anna: Person):
    bert = app.person()
    content = picture(41, 30)
    for person in (anna, bert):
        person.upload("a.png", content)
    tidy(app)
    assert [len(keys(app, f"uploads/{person.id}/")) for person in (anna, bert)] == [1, 1]


def test_doubles_and_discards_at_once_lose_nothing(local_app: Stand):
    person = local_app.person()
    content = picture(42, 30)
    for _ in range(5):
        first = person.upload("a.png", content)
        created = announce(person, "b.png", content)

        async def both(first: Json = first, created: Json = created) -> None:
            async with httpx2.AsyncClient(
                base_url=local_app.url, headers=person.headers, trust_env=False
            ) as client:
                await asyncio.gather(
                    client.put(created["put_url"], content=content),
                    local_app.at.upload_store.discard(first["id"]),
                )

        local_app.do(both)
        tidy(local_app)
        key = local_app.sql("SELECT key FROM public.uploads WHERE id = %s", created["id"])[0][0]
        assert person.get(f"/storage/{key}").content == content


@pytest.mark.parametrize("offset", ["-1", "x", "1.5", str(2**60)])
def test_odd_offsets(local_app: Stand, offset: str):
    person = local_app.person()
    created = announce(person, "x.bin", b"12345")
    answer = person.put(created["content_url"], content=b"1", headers={"Upload-Offset": offset})
    assert answer.status_code == 422
