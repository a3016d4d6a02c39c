"""Upload and download through each store's adapter, as a ratio to the same client library used bare (1 = as fast)."""

import argparse
import asyncio
import base64
import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import anyio
import httpx2
import obstore
from obstore.store import S3Store

from bench import figures
from rushes.adapters.storage.local import LocalStorage
from rushes.adapters.storage.s3 import S3Place, S3Storage
from rushes.adapters.storage.supabase import SupabasePlace, SupabaseStorage
from rushes.ports import ObjectStorage
from tests.contract.storage.moto_server import new_place, s3_server
from tests.contract.storage.real_supabase import new_bucket, real_place, real_url
from tests.contract.storage.stand_in import SERVICE_KEY, stand_in

MIB = 1024 * 1024
BLOCK = 256 * 1024  # as an HTTP server hands bodies on, or a little more
TUS_PART = 6 * MIB


class Bare(Protocol):
    """The client library, and nothing else."""

    async def put(self, key: str, size: int) -> None: ...

    async def get(self, key: str) -> int: ...


async def blocks(size: int) -> AsyncIterator[bytes]:
    """The same bytes for everybody; they cost nothing to make."""
    block = _BYTES
    for begin in range(0, size, BLOCK):
        yield block if size - begin >= BLOCK else block[: size - begin]


_BYTES = os.urandom(BLOCK)


class BareFolder:
    """anyio's files, by the mebibyte; hashed and durable, as whoever stores files needs them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, size: int) -> None:
        path = anyio.Path(self._root / key)
        await path.parent.mkdir(parents=True, exist_ok=True)
        digest, waiting = hashlib.sha256(), bytearray()
        async with await anyio.open_file(f"{path}.new", "wb", buffering=0) as file:
            async for block in blocks(size):
                waiting += block
                if len(waiting) >= MIB:
                    digest.update(waiting)
                    await file.write(bytes(waiting))
                    waiting.clear()
            await file.write(bytes(waiting))
            await anyio.to_thread.run_sync(os.fsync, file.wrapped.fileno())
        await anyio.Path(f"{path}.new").rename(path)

    async def get(self, key: str) -> int:
        total = 0
        async with await anyio.open_file(self._root / key, "rb", buffering=0) as file:
            while piece := await file.read(MIB):
                total += len(piece)
        return total


class BareObstore:
    """obstore, as its documentation shows it."""

    def __init__(self, place: S3Place) -> None:
        assert place.keys is not None
        self._store = S3Store(
            place.bucket,
            endpoint=place.endpoint,
            region=place.region,
            access_key_id=place.keys.access_key_id,
            secret_access_key=place.keys.secret_access_key,
            client_options={"allow_http": True},
        )

    async def put(self, key: str, size: int) -> None:
        if size <= 5 * MIB:
            await obstore.put_async(self._store, key, b"".join([block async for block in blocks(size)]))
        else:
            await obstore.put_async(self._store, key, blocks(size))

    async def get(self, key: str) -> int:
        found = await obstore.get_async(self._store, key)
        return sum([len(bytes(block)) async for block in found.stream()])


class BareHttp:
    """httpx2 and the REST API; TUS by hand for large files."""

    def __init__(self, place: SupabasePlace) -> None:
        self._place = place
        self._client = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {place.key}", "x-upsert": "true", "Tus-Resumable": "1.0.0"},
            trust_env=False,
            timeout=60,
        )

    async def put(self, key: str, size: int) -> None:
        if size > TUS_PART:
            await self._tus(key, size)
            return
        content = b"".join([block async for block in blocks(size)])
        url = f"{self._place.url}/object/{self._place.bucket}/{key}"
        answer = await self._client.post(url, content=content, headers={"Content-Type": "video/mp4"})
        assert answer.status_code == 200, answer.text

    async def get(self, key: str) -> int:
        url = f"{self._place.url}/object/authenticated/{self._place.bucket}/{key}"
        async with self._client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
            return sum([len(block) async for block in answer.aiter_raw()])

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _tus(self, key: str, size: int) -> None:
        said = {"bucketName": self._place.bucket, "objectName": key, "contentType": "video/mp4"}
        told = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
        headers = {"Upload-Length": str(size), "Upload-Metadata": told}
        made = await self._client.post(f"{self._place.url}/upload/resumable", headers=headers)
        where = f"{self._place.url}/upload/resumable/{made.headers['location'].rpartition('/')[2]}"
        offset, waiting = 0, bytearray()
        async for block in blocks(size):
            waiting += block
            if len(waiting) >= TUS_PART or offset + len(waiting) == size:
                headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
                sent = await self._client.patch(where, content=bytes(waiting), headers=headers)
                assert sent.status_code == 204, sent.text
                offset += len(waiting)
                waiting.clear()


async def ours_get(store: ObjectStorage, key: str) -> int:
    return sum([len(block) async for block in store.open(key)])


async def seconds(work: Awaitable[Any]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def measure(
    name: str, store: ObjectStorage, bare: Bare, *, size: int, rounds: int
) -> list[figures.Row]:
    """Turn by turn, each on a key of its own, so that both meet the same machine."""
    times: dict[str, list[float]] = {"up": [], "up bare": [], "down": [], "down bare": []}
    for number in range(rounds + 1):
        key = f"bench/{secrets.token_hex(4)}"
        kept = {
            "up": await seconds(store.put(f"{key}-a", blocks(size), content_type="video/mp4")),
            "up bare": await seconds(bare.put(f"{key}-b", size)),
            "down bare": await seconds(bare.get(f"{key}-b")),
            "down": await seconds(ours_get(store, f"{key}-a")),
        }
        await store.delete_many([f"{key}-a", f"{key}-b"])
        for step, took in kept.items() if number else ():  # the first round opens connections
            times[step].append(took)
    return [
        {
            "store": name,
            "MB": size // MIB,
            "step": step,
            "MB/s": size / MIB / median(times[step]),
            "bare MB/s": size / MIB / median(times[f"{step} bare"]),
            "ratio": median([b / a for a, b in zip(times[step], times[f"{step} bare"], strict=True)]),
        }
        for step in ("up", "down")
    ]


async def on_local(sizes: Callable[..., Awaitable[None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStorage(Path(folder) / "objects")
        await store.start()
        await sizes("local", store, BareFolder(Path(folder) / "objects"))


async def on_s3(sizes: Callable[..., Awaitable[None]]) -> None:
    with s3_server() as url:
        place = new_place(url)
        store = S3Storage(place)
        await store.start()
        await sizes("s3 (moto)", store, BareObstore(place))


async def on_supabase(sizes: Callable[..., Awaitable[None]]) -> None:
    async with AsyncExitStack() as stack:
        if real_url():
            name, place = "supabase", real_place()
        else:
            url = stack.enter_context(_running_stand_in())
            name, place = "supabase (stand-in)", SupabasePlace(bucket=new_bucket(), url=url, key=SERVICE_KEY)
        store, bare = SupabaseStorage(place), BareHttp(place)
        stack.push_async_callback(store.aclose)
        stack.push_async_callback(bare.aclose)
        await store.start()
        await sizes(name, store, bare)


@contextmanager
def _running_stand_in() -> Iterator[str]:
    with stand_in() as stand:
        yield stand.url


STORES = {"local": on_local, "s3": on_s3, "supabase": on_supabase}


async def run(options: argparse.Namespace) -> list[figures.Row]:
    rows: list[figures.Row] = []

    async def sizes(name: str, store: ObjectStorage, bare: Bare) -> None:
        for megabytes, rounds in ((1, options.small_rounds), (options.large, options.large_rounds)):
            found = await measure(name, store, bare, size=megabytes * MIB, rounds=rounds)
            figures.show(f"{name}, {megabytes} MB", found)
            rows.extend(found)

    for store in options.stores:
        await STORES[store](sizes)
    return rows


def main(arguments: Sequence[str]) -> None:
    parser = figures.options(__doc__)
    parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES))
    parser.add_argument("--large", type=int, default=500, help="MB of the large file")
    parser.add_argument("--small-rounds", type=int, default=30)
    parser.add_argument("--large-rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    print(figures.machine())
    rows = asyncio.run(run(options))
    worst = min(rows, key=lambda row: row["ratio"])
    print(f"\nworst ratio: {worst['ratio']:.2f} ({worst['store']}, {worst['MB']} MB {worst['step']})")
    figures.keep(options.out, "storage", rows)
