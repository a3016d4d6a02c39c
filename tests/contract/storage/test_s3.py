"""What only S3 has: multipart uploads, signed URLs, buckets; and Amazon's own client beside ours."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from rushes.adapters.storage.s3 import S3Keys, S3Place, S3Storage
from rushes.adapters.storage.s3.presign import presigned
from rushes.domain.errors import NotFound, TooLarge, Unavailable
from tests.contract.storage.moto_server import KEYS, new_place, official_client
from tests.contract.storage.plain_http import fetched
from tests.contract.storage.streams import keys, put, read, repeated, stream

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


@pytest.fixture
def place(s3_url):
    return new_place(s3_url)


@pytest.fixture
async def bucket(place, anyio_backend):
    store = S3Storage(place)
    await store.start()
    return store


def unfinished(place):
    return official_client(place).list_multipart_uploads(Bucket=place.bucket).get("Uploads", [])


async def test_a_broken_multipart_upload_leaves_no_parts(bucket, place):
    async def breaking():
        for _ in range(20):
            yield b"x" * MIB
        raise ConnectionResetError("the server went away")

    with pytest.raises(ConnectionResetError):
        await bucket.put("a/b", breaking(), content_type="video/mp4")
    with pytest.raises(TooLarge):
        await bucket.put("a/b", repeated(b"x" * MIB, 40), content_type="video/mp4", limit=30 * MIB)
    assert (unfinished(place), await keys(bucket)) == ([], [])


async def test_a_cancelled_multipart_upload_leaves_no_parts(bucket, place):
    sent = asyncio.Event()

    async def stalling():
        for _ in range(20):
            yield b"x" * MIB
        sent.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(bucket.put("a/b", stalling(), content_type="video/mp4"))
    await sent.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (unfinished(place), await keys(bucket)) == ([], [])


async def test_the_official_client_reads_ours_and_we_read_theirs(bucket, place):
    official = official_client(place)
    large = bytes(range(256)) * (40 * MIB // 256)
    await bucket.put("a/large.mp4", repeated(large[: 4 * MIB], 10), content_type="video/mp4")
    await put(bucket, "a/small", b"small")
    theirs = official.get_object(Bucket=place.bucket, Key="a/large.mp4")
    assert theirs["ContentType"] == "video/mp4"
    assert theirs["Body"].read() == large
    official.put_object(Bucket=place.bucket, Key="b/theirs.png", Body=b"png", ContentType="image/png")
    found = await bucket.stat("b/theirs.png")
    assert (found.size_bytes, found.content_type) == (3, "image/png")
    assert await read(bucket, "b/theirs.png") == b"png"
    await bucket.copy("a/large.mp4", "c/copy.mp4")
    assert official.head_object(Bucket=place.bucket, Key="c/copy.mp4")["ContentType"] == "video/mp4"
    await bucket.delete_many(["a/large.mp4", "a/small", "b/theirs.png", "c/copy.mp4"])
    assert "Contents" not in official.list_objects_v2(Bucket=place.bucket)


async def test_a_bucket_is_made_where_it_belongs(s3_url, place):
    elsewhere = S3Place(bucket=place.bucket, endpoint=s3_url, region="eu-central-1", keys=KEYS)
    store = S3Storage(elsewhere)
    with pytest.raises(Unavailable, match="is missing"):
        await store.check()
    with pytest.raises(Unavailable, match="is missing"):
        await put(store, "a/b", b"x")
    await asyncio.gather(store.start(), S3Storage(elsewhere).start())
    location = official_client(elsewhere).get_bucket_location(Bucket=place.bucket)
    assert location["LocationConstraint"] == "eu-central-1"
    with pytest.raises(NotFound):
        await read(store, "a/b")


async def test_signed_get_says_how_the_file_is_shown(bucket):
    await put(bucket, "a/x.png", b"<svg/>")
    url = await bucket.signed_get(
        "a/x.png", seconds=60, content_type="application/octet-stream", download_name='é "x".svg'
    )
    assert url is not None
    whole = await fetched(url)
    assert whole.body == b"<svg/>"
    assert whole.headers["Content-Type"] == "application/octet-stream"
    assert whole.headers["Content-Disposition"] == (
        "attachment; filename=\"_ _x_.svg\"; filename*=UTF-8''%C3%A9%20%22x%22.svg"
    )
    span = await fetched(url, headers={"Range": "bytes=1-3"})
    assert (span.status, span.body) == (206, b"svg")


async def test_signed_put_takes_the_bytes(bucket):
    offer = await bucket.signed_put("a/in.png", seconds=60, size_bytes=3, content_type="image/png")
    assert offer is not None
    await fetched(offer.url, data=b"png", method="PUT", headers=dict(offer.headers))
    found = await bucket.stat("a/in.png")
    assert (found.size_bytes, found.content_type) == (3, "image/png")


@pytest.mark.parametrize("token", [None, "a/token+="])
@pytest.mark.parametrize(
    ("place", "url"),
    [
        (S3Place(bucket="b", keys=KEYS), "https://s3.us-east-1.amazonaws.com/b/k/x.png"),
        (
            S3Place(bucket="b", region="eu-west-1", virtual_host=True, keys=KEYS),
            "https://b.s3.eu-west-1.amazonaws.com/k/x.png",
        ),
        (
            S3Place(bucket="b", endpoint="http://127.0.0.1:9000/", keys=KEYS),
            "http://127.0.0.1:9000/b/k/x.png",
        ),
    ],
)
def test_signatures_are_amazon_s_own(monkeypatch, place, url, token):
    now = datetime.now(UTC)
    keys = S3Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    query = {"response-content-type": "image/png", "response-content-disposition": 'attachment; x="a b~é"'}
    headers = {"Content-Type": "image/png", "Content-Length": "17"}
    ours = presigned(
        place, keys, "PUT", place.url("k/x.png"), now=now, seconds=900, query=query, headers=headers
    )
    request = AWSRequest("PUT", url, headers=headers, params=query)
    theirs = S3SigV4QueryAuth(
        Credentials(keys.access_key_id, keys.secret_access_key, token), "s3", place.region, expires=900
    )
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: now)
    theirs.add_auth(request)
    assert parts(ours) == parts(request.url)


def parts(url):
    address, _, query = url.partition("?")
    return address, sorted(query.split("&"))


async def test_nothing_is_signed_without_keys_or_leave():
    own = S3Storage(S3Place(bucket="b", keys=KEYS), signed=False)
    machine = S3Storage(S3Place(bucket="b"))
    for store in (own, machine):
        assert store.signed_origin is None
        assert await store.signed_get("a/b", seconds=60) is None
        assert await store.signed_put("a/b", seconds=60, size_bytes=1, content_type="image/png") is None


def test_secrets_are_not_shown():
    assert "secret" not in repr(S3Place(bucket="b", keys=S3Keys("id", "secret", "secret")))


async def test_a_server_that_isn_t_there():
    store = S3Storage(S3Place(bucket="b", endpoint="http://127.0.0.1:9", keys=KEYS))
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:9 can't be used"):
        await store.start()
    with pytest.raises(Unavailable):
        await store.put("a/b", stream(b"x"), content_type="text/plain")


CHILD = """
import asyncio, resource, sys
from rushes.adapters.storage.s3 import S3Keys, S3Place, S3Storage

async def blocks():
    for _ in range(128):
        yield b"x" * 1024 * 1024

async def main():
    store = S3Storage(S3Place(bucket=sys.argv[2], endpoint=sys.argv[1], keys=S3Keys("test-key", "test-secret")))
    await store.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await store.put("a/big", blocks(), content_type="video/mp4")
    total = sum([len(block) async for block in store.open("a/big")])
    print(total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

asyncio.run(main())
"""


async def test_memory_does_not_grow_with_the_file(place):
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", CHILD, place.endpoint, place.bucket],
        capture_output=True,
        text=True,
        check=True,
    )
    total, grown_kib = map(int, done.stdout.split())
    assert total == 128 * MIB
    assert grown_kib < 90 * 1024
