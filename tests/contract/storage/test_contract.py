"""What every object store must do."""

import asyncio
import hashlib
import random

import pytest

from rushes.domain.errors import InvalidRequest, NotFound, TooLarge
from tests.contract.storage.plain_http import fetched
from tests.contract.storage.streams import keys, put, read, repeated, stream

pytestmark = pytest.mark.anyio

KEY = "workflows/img2img/0199/output.png"
HOSTILE = [
    "", "/", "/etc/passwd", "a/../b", "../a", "a/..", "./a", "a//b", "a/", "a\x00b", "a\\b", "ä", "a b", "a\n",
    ".incoming/x", "a/.hidden", "a" * 600, "x/" + "a" * 300, "%2e%2e/a", "~/a", "C:/a", "a?b", "a#b",
]  # fmt: skip


async def test_what_was_put_is_there(store):
    payload = random.Random(1).randbytes(3_000_001)
    pieces = [payload[at : at + 70_000] for at in range(0, len(payload), 70_000)]
    stored = await store.put(KEY, stream(*pieces), content_type="image/png")
    assert (stored.size_bytes, stored.sha256) == (len(payload), hashlib.sha256(payload).hexdigest())
    assert await read(store, KEY) == payload
    found = await store.stat(KEY)
    assert (found.key, found.size_bytes) == (KEY, len(payload))
    assert found.content_type in (None, "image/png")
    assert found.modified_at.tzinfo is not None


async def test_empty_object(store):
    stored = await store.put(KEY, stream(), content_type="text/plain")
    assert (stored.size_bytes, stored.sha256) == (0, hashlib.sha256().hexdigest())
    assert await read(store, KEY) == b""


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 3, b"012"), (3, None, b"3456789"), (9, 10, b"9"), (4, 99, b"456789"), (5, 5, b""), (10, None, b"")],
)
async def test_ranges(store, start, end, expected):
    await put(store, KEY, b"0123456789")
    assert await read(store, KEY, start, end) == expected


async def test_range_across_blocks(store):
    payload = random.Random(2).randbytes(2_500_000)
    await put(store, KEY, payload)
    assert await read(store, KEY, 1_000_000, 2_300_000) == payload[1_000_000:2_300_000]


async def test_what_is_not_there(store):
    assert await store.stat(KEY) is None
    assert await store.stat("workflows") is None
    with pytest.raises(NotFound):
        await read(store, KEY)
    with pytest.raises(NotFound):
        await store.copy(KEY, "a/b")
    await store.delete_many([KEY, KEY])
    assert await keys(store, "nothing/") == []


async def test_a_folder_is_no_object(store):
    await put(store, KEY, b"x")
    assert await store.stat("workflows/img2img") is None
    with pytest.raises(NotFound):
        await read(store, "workflows/img2img")
    await store.delete_many(["workflows/img2img"])
    assert await read(store, KEY) == b"x"


async def test_put_replaces_whole_and_changes_the_etag(store):
    await put(store, KEY, b"first")
    first = await store.stat(KEY)
    await put(store, KEY, b"again")
    second = await store.stat(KEY)
    assert await read(store, KEY) == b"again"
    assert first.etag != second.etag
    assert (await store.stat(KEY)).etag == second.etag


async def test_limit(store):
    await store.put(KEY, stream(b"12345", b"67890"), content_type="text/plain", limit=10)
    with pytest.raises(TooLarge, match="10 bytes"):
        await store.put("a/b", stream(b"12345", b"678901"), content_type="text/plain", limit=10)
    assert await keys(store) == [KEY]


async def test_a_stream_that_breaks_leaves_what_was_there(store):
    async def breaking():
        yield b"x" * 3_000_000
        raise ConnectionResetError("the server went away")

    await put(store, KEY, b"old")
    with pytest.raises(ConnectionResetError):
        await store.put(KEY, breaking(), content_type="text/plain")
    assert await read(store, KEY) == b"old"
    assert await keys(store) == [KEY]


async def test_a_cancelled_put_stores_nothing(store):
    blocks_taken = asyncio.Event()

    async def endless():
        for count in range(10_000_000):
            yield b"x" * 300_000
            if count == 10:
                blocks_taken.set()

    task = asyncio.create_task(store.put(KEY, endless(), content_type="text/plain"))
    await blocks_taken.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await keys(store) == []


async def test_list_by_prefix_in_key_order(store):
    for key in ("b/2", "a/c/1", "a/b", "a/b1/x", "a-b/z", "c", "B/2", "a_b/z"):
        await put(store, key, b"12")
    assert await keys(store) == ["B/2", "a-b/z", "a/b", "a/b1/x", "a/c/1", "a_b/z", "b/2", "c"]
    assert await keys(store, "a_") == ["a_b/z"]
    assert await keys(store, "a/") == ["a/b", "a/b1/x", "a/c/1"]
    assert await keys(store, "a/b") == ["a/b", "a/b1/x"]
    assert await keys(store, "a/c/1") == ["a/c/1"]
    assert await keys(store, "z") == []
    assert [found.size_bytes async for found in store.list("c")] == [2]


async def test_a_long_list(store):
    wanted = [f"many/{number:04}" for number in range(1030)]
    for start in range(0, len(wanted), 100):
        await asyncio.gather(*(put(store, key, b"x") for key in wanted[start : start + 100]))
    assert await keys(store, "many/") == wanted


async def test_copy_is_independent(store):
    await put(store, KEY, b"one")
    await store.copy(KEY, "copies/here.png")
    await store.copy(KEY, "copies/here.png")
    await store.copy(KEY, KEY)
    await put(store, KEY, b"two")
    assert await read(store, "copies/here.png") == b"one"
    await store.delete_many([KEY])
    assert await keys(store) == ["copies/here.png"]


async def test_delete_many(store):
    for key in ("j/1/a", "j/1/b", "j/2/a"):
        await put(store, key, b"x")
    await store.delete_many(["j/1/a", "j/1/b", "j/1/gone"])
    assert await keys(store) == ["j/2/a"]
    await put(store, "j/1/a", b"y")
    assert await keys(store) == ["j/1/a", "j/2/a"]


@pytest.mark.parametrize("key", HOSTILE, ids=ascii)
async def test_hostile_keys_are_refused_everywhere(store, key):
    with pytest.raises(InvalidRequest):
        await put(store, key, b"x")
    with pytest.raises(InvalidRequest):
        await read(store, key)
    with pytest.raises(InvalidRequest):
        await store.stat(key)
    with pytest.raises(InvalidRequest):
        await store.delete_many([key])
    with pytest.raises(InvalidRequest):
        await store.copy(key, "a/b")


@pytest.mark.parametrize("prefix", ["../", "/", "/etc/", "a/../", ".incoming/", "a\x00/"], ids=ascii)
async def test_hostile_prefixes_list_nothing(store, prefix):
    await put(store, "a/b", b"x")
    assert await keys(store, prefix) == []


async def test_concurrent_puts_to_one_key_leave_one_of_them_whole(store):
    payloads = [bytes([65 + number]) * 1_500_000 for number in range(8)]
    await asyncio.gather(*(put(store, KEY, payload) for payload in payloads))
    assert await read(store, KEY) in payloads


async def test_put_beside_delete_in_one_folder(store):
    for _ in range(30):
        await put(store, "f/g/old", b"x")
        await asyncio.gather(
            store.delete_many(["f/g/old"]), *(put(store, f"f/g/{n}", b"new") for n in range(3))
        )
        assert await keys(store, "f/") == ["f/g/0", "f/g/1", "f/g/2"]
        await store.delete_many(["f/g/0", "f/g/1", "f/g/2"])


async def test_reading_while_it_is_replaced_or_deleted(store):
    await put(store, KEY, b"a" * 3_000_000)
    reading = store.open(KEY)
    first = await anext(reading)
    await put(store, KEY, b"b" * 3_000_000)
    await store.delete_many([KEY])
    rest = b"".join([block async for block in reading])
    assert first + rest == b"a" * 3_000_000


async def test_a_reader_that_leaves_early(store):
    await put(store, KEY, b"a" * 3_000_000)
    reading = store.open(KEY)
    assert await anext(reading)
    await reading.aclose()


async def test_the_loop_stays_free_while_much_is_stored(store):
    longest = 0.0

    async def watch():
        nonlocal longest
        clock = asyncio.get_running_loop().time
        while True:
            before = clock()
            await asyncio.sleep(0.001)
            longest = max(longest, clock() - before)

    watcher = asyncio.create_task(watch())
    await store.put(KEY, repeated(b"x" * 65_536, 1024), content_type="video/mp4")
    assert len(await read(store, KEY)) == 65_536 * 1024
    watcher.cancel()
    assert longest < 0.5


async def test_a_fresh_store_is_fine_and_empty(store):
    await store.check()
    assert await keys(store) == []


async def test_signed_get(store):
    await store.put(KEY, stream(b"0123456789"), content_type="image/png")
    shown = await store.signed_get(KEY, seconds=60, content_type="image/png")
    saved = await store.signed_get(KEY, seconds=60, content_type="image/png", download_name="é b.png")
    assert (shown is None) == (saved is None) == (store.signed_origin is None)
    if shown is None or saved is None:
        return
    assert shown.startswith(store.signed_origin + "/")
    answer = await fetched(shown)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"0123456789", "image/png")
    assert not (answer.headers["Content-Disposition"] or "").startswith("attachment")
    span = await fetched(saved, headers={"Range": "bytes=2-4"})
    assert (span.status, span.body) == (206, b"234")
    assert span.headers["Content-Disposition"].startswith("attachment;")
    assert "%C3%A9%20b.png" in span.headers["Content-Disposition"]
    assert (await fetched(shown.replace("output.png", "other.png"))).status >= 400


async def test_signed_put(store):
    offer = await store.signed_put(KEY, seconds=60, size_bytes=3, content_type="image/png")
    assert (offer is None) == (store.signed_origin is None)
    if offer is not None:
        answer = await fetched(offer.url, data=b"png", method="PUT", headers=dict(offer.headers))
        assert answer.status == 200
        found = await store.stat(KEY)
        assert (found.size_bytes, found.content_type) == (3, "image/png")
        assert offer.url not in repr(offer)
