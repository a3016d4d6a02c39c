"""What only Supabase Storage has: errors in bodies, TUS, bulk signing; on the stand-in, and on a real server."""

import asyncio
import subprocess
import sys

import pytest

from rushes.adapters.storage.supabase import SupabasePlace, SupabaseStorage
from rushes.adapters.storage.supabase.api import StorageApi
from rushes.domain.errors import InvalidSetting, NotFound, TooLarge, Unavailable
from tests.contract.storage.plain_http import fetched
from tests.contract.storage.real_supabase import new_bucket, real_place, real_url
from tests.contract.storage.stand_in import SERVICE_KEY
from tests.contract.storage.streams import keys, put, read, repeated, stream

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


@pytest.fixture(params=["stand-in", *(["real"] if real_url() else [])])
def place(request):
    if request.param == "real":
        return real_place()
    stand = request.getfixturevalue("supabase_stand")
    return SupabasePlace(bucket=new_bucket(), url=stand.url, key=SERVICE_KEY)


@pytest.fixture
async def bucket(place, anyio_backend):
    store = SupabaseStorage(place)
    await store.start()
    yield store
    await store.aclose()


@pytest.fixture
def stand(supabase_stand):
    supabase_stand.trouble.clear()
    supabase_stand.lost.clear()
    supabase_stand.asked.clear()
    return supabase_stand


@pytest.fixture
async def quick(stand, anyio_backend):
    """A store on the stand-in that doesn't wait long between its tries."""
    store = SupabaseStorage(SupabasePlace(bucket=new_bucket(), url=stand.url, key=SERVICE_KEY))
    await store.start()
    store._api._first_pause = 0.001
    yield store
    await store.aclose()


def large(parts: int, extra: int = 0) -> bytes:
    return bytes(range(256)) * (parts * 6 * MIB // 256) + b"z" * extra


@pytest.mark.parametrize("size", [6 * MIB - 1, 6 * MIB, 6 * MIB + 1, 12 * MIB, 13 * MIB])
async def test_sizes_around_the_parts_of_tus(bucket, size):
    payload = large(3)[:size]
    for _ in range(2):  # again: replaced, not refused
        stored = await bucket.put("a/b.mp4", stream(payload[:MIB], payload[MIB:]), content_type="video/mp4")
    assert stored.size_bytes == size
    assert await read(bucket, "a/b.mp4") == payload
    found = await bucket.stat("a/b.mp4")
    assert (found.size_bytes, found.content_type) == (size, "video/mp4")


async def test_what_a_browser_would_execute_is_stored_as_bytes(bucket):
    for content_type in ("text/html", "image/svg+xml", "application/xhtml+xml"):
        await bucket.put("a/x", stream(b"<svg/>"), content_type=content_type)
        assert (await bucket.stat("a/x")).content_type == "application/octet-stream"


async def test_a_limit_of_the_bucket(place):
    api = StorageApi(place)
    limited = {"id": place.bucket, "name": place.bucket, "public": False, "file_size_limit": 7 * MIB}
    await api.ask("POST", "/bucket", payload=limited)
    await api.aclose()
    store = SupabaseStorage(place)
    await store.start()
    for size in (8, 20):
        with pytest.raises(TooLarge, match="raise the limit"):
            await store.put("a/b", repeated(b"x" * MIB, size), content_type="video/mp4")
    assert await keys(store) == []
    await store.aclose()


async def test_a_public_bucket_is_refused(place):
    api = StorageApi(place)
    await api.ask("POST", "/bucket", payload={"id": place.bucket, "name": place.bucket, "public": True})
    await api.aclose()
    store = SupabaseStorage(place)
    with pytest.raises(InvalidSetting, match="is public"):
        await store.start()
    await store.aclose()


async def test_a_bucket_made_by_two_at_once(place):
    stores = [SupabaseStorage(place) for _ in range(4)]
    with pytest.raises(Unavailable, match="is missing"):
        await put(stores[0], "a/b", b"x")
    await asyncio.gather(*(store.start() for store in stores))
    await put(stores[0], "a/b", b"x")
    assert await read(stores[1], "a/b") == b"x"
    for store in stores:
        await store.aclose()


async def test_a_wrong_key(place):
    store = SupabaseStorage(SupabasePlace(bucket=place.bucket, url=place.url, key="sb_secret_wrong"))
    with pytest.raises(Unavailable, match="check SUPABASE_SECRET_KEY") as caught:
        await store.start()
    assert "sb_secret_wrong" not in f"{caught.value}{store!r}{store._place!r}"
    await store.aclose()


async def test_nobody_there():
    store = SupabaseStorage(SupabasePlace(bucket="b", url="http://127.0.0.1:9", key="k"))
    with pytest.raises(Unavailable, match="doesn't answer"):
        await store.check()
    await store.aclose()


async def test_signed_upload_by_tus(bucket):
    payload = large(1, extra=5)
    offer = await bucket.signed_put("a/in.mp4", seconds=60, size_bytes=len(payload), content_type="video/mp4")
    assert offer.tus["chunk_bytes"] == 6 * MIB
    version = {"Tus-Resumable": "1.0.0"}
    begun = await fetched(
        offer.tus["url"],
        method="POST",
        headers={**version, **offer.tus["headers"], "Upload-Length": str(len(payload))},
    )
    assert begun.status == 201
    where = f"{offer.tus['url']}/{begun.headers['Location'].rpartition('/')[2]}"
    for begin in (0, 6 * MIB):
        sent = await fetched(
            where,
            method="PATCH",
            data=payload[begin : begin + 6 * MIB],
            headers={
                **version,
                "x-signature": offer.tus["headers"]["x-signature"],
                "Upload-Offset": str(begin),
                "Content-Type": "application/offset+octet-stream",
            },
        )
        assert sent.status == 204
    assert await read(bucket, "a/in.mp4") == payload


async def test_a_signed_upload_takes_no_second_file(bucket):
    offer = await bucket.signed_put("a/in.png", seconds=60, size_bytes=3, content_type="image/png")
    assert offer.tus is None
    statuses = [
        (await fetched(offer.url, data=b"png", method="PUT", headers=dict(offer.headers))).status
        for _ in range(2)
    ]
    assert statuses == [200, 400]


async def test_lists_are_signed_in_bulk(quick, stand):
    await asyncio.gather(*(put(quick, f"a/{number}", b"x") for number in range(120)))
    stand.asked.clear()
    urls = await asyncio.gather(*(quick.signed_get(f"a/{number}", seconds=60) for number in range(120)))
    again = await quick.signed_get("a/7", seconds=60)
    assert len(set(urls)) == 120
    assert again == urls[7]
    assert sum("/object/sign/" in path for _, path in stand.asked) <= 3
    assert (await fetched(urls[99])).body == b"x"


async def test_what_can_t_be_signed(quick, stand):
    await put(quick, "a/b", b"x")
    outcomes = await asyncio.gather(
        quick.signed_get("a/b", seconds=60), quick.signed_get("a/none", seconds=60), return_exceptions=True
    )
    assert isinstance(outcomes[0], str)
    assert isinstance(outcomes[1], NotFound)
    stand.trouble["POST"] = [503] * 4
    with pytest.raises(Unavailable):
        await quick.signed_get("a/other", seconds=60)
    await put(quick, "a/other", b"x")
    assert await quick.signed_get("a/other", seconds=60)


async def test_nothing_is_signed_without_leave(stand):
    store = SupabaseStorage(SupabasePlace(bucket="b", url=stand.url, key=SERVICE_KEY), signed=False)
    assert store.signed_origin is None
    assert await store.signed_get("a/b", seconds=60) is None
    assert await store.signed_put("a/b", seconds=60, size_bytes=1, content_type="image/png") is None
    await store.aclose()


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_a_passing_trouble_is_waited_out(quick, stand, method):
    stand.trouble[method] = [503, 429]
    await put(quick, "a/b", b"x")
    assert (await quick.stat("a/b")).size_bytes == 1
    await quick.delete_many(["a/b"])
    assert await keys(quick) == []
    assert not stand.trouble[method]


@pytest.mark.parametrize("lost", [[500], [502, 502]], ids=str)
async def test_parts_whose_answers_get_lost(quick, stand, lost):
    payload = large(2, extra=100)
    stand.lost["PATCH"] = list(lost)
    await quick.put("a/b", stream(payload), content_type="video/mp4")
    assert await read(quick, "a/b") == payload
    stand.trouble["PATCH"] = [503]
    await quick.put("a/c", stream(payload), content_type="video/mp4")
    assert await read(quick, "a/c") == payload


async def test_the_answer_to_the_last_part_gets_lost(quick, stand):
    payload = large(1, extra=100)

    async def last_one_lost():
        yield payload[: 6 * MIB]
        stand.lost["PATCH"] = [500, 500]
        yield payload[6 * MIB :]

    await quick.put("a/b", last_one_lost(), content_type="video/mp4")
    assert await read(quick, "a/b") == payload


async def test_what_was_begun_and_broke_is_taken_back(quick, stand):
    async def breaking():
        for _ in range(20):
            yield b"x" * MIB
        raise ConnectionResetError("the server went away")

    before = set(stand.uploads)
    with pytest.raises(ConnectionResetError):
        await quick.put("a/b", breaking(), content_type="video/mp4")
    stand.trouble["PATCH"] = [503] * 4
    with pytest.raises(Unavailable):
        await quick.put("a/b", repeated(b"x" * MIB, 13), content_type="video/mp4")
    assert set(stand.uploads) == before
    assert await keys(quick) == []


CHILD = """
import asyncio, resource, sys
from rushes.adapters.storage.supabase import SupabasePlace, SupabaseStorage

async def blocks():
    for _ in range(128):
        yield b"x" * 1024 * 1024

async def main():
    store = SupabaseStorage(SupabasePlace(url=sys.argv[1], bucket=sys.argv[2], key=sys.stdin.read()))
    await store.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await store.put("a/big", blocks(), content_type="video/mp4")
    total = sum([len(block) async for block in store.open("a/big")])
    print(total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    await store.aclose()

asyncio.run(main())
"""


async def test_memory_does_not_grow_with_the_file(place):
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", CHILD, place.url, place.bucket],
        input=place.key,
        capture_output=True,
        text=True,
        check=True,
    )
    total, grown_kib = map(int, done.stdout.split())
    assert total == 128 * MIB
    assert grown_kib < 90 * 1024
