"""How much memory a process needs while one large file passes through each store's adapter, in and out."""

import asyncio
import multiprocessing
import resource
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import figures
from rushes.adapters.storage.local import LocalStorage
from rushes.adapters.storage.s3 import S3Place, S3Storage
from rushes.adapters.storage.supabase import SupabasePlace, SupabaseStorage
from tests.contract.storage.moto_server import new_place, s3_server
from tests.contract.storage.real_supabase import new_bucket, real_place, real_url
from tests.contract.storage.stand_in import SERVICE_KEY, stand_in

MIB = 1024 * 1024
Place = Path | S3Place | SupabasePlace


async def blocks(megabytes: int) -> AsyncIterator[bytes]:
    block = bytes(MIB)
    for _ in range(megabytes):
        yield block


async def passed(place: Place, megabytes: int) -> tuple[int, int]:
    """Bytes that came back, and the KiB that the process has grown by at its largest."""
    store = _store(place)
    await store.start()
    await store.put("bench/small", blocks(1), content_type="video/mp4")  # connections and code are there
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await store.put("bench/large", blocks(megabytes), content_type="video/mp4")
    total = sum([len(block) async for block in store.open("bench/large")])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    await store.delete_many(["bench/small", "bench/large"])
    await store.aclose()
    return total, grown


def _store(place: Place) -> LocalStorage | S3Storage | SupabaseStorage:
    match place:
        case Path():
            return LocalStorage(place)
        case S3Place():
            return S3Storage(place)
        case SupabasePlace():
            return SupabaseStorage(place)


def child(place: Place, megabytes: int) -> tuple[int, int]:
    return asyncio.run(passed(place, megabytes))


@contextmanager
def a_folder() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "objects"


@contextmanager
def a_bucket() -> Iterator[Place]:
    with s3_server() as url:
        yield new_place(url)


@contextmanager
def a_project() -> Iterator[Place]:
    if real_url():
        yield real_place()
        return
    with stand_in() as stand:
        yield SupabasePlace(bucket=new_bucket(), url=stand.url, key=SERVICE_KEY)


STORES = {"local": a_folder, "s3": a_bucket, "supabase": a_project}


def main(arguments: Sequence[str]) -> None:
    parser = figures.options(__doc__)
    parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES))
    parser.add_argument("--megabytes", type=int, default=2048)
    options = parser.parse_args(arguments)
    print(figures.machine())
    rows: list[figures.Row] = []
    for name in options.stores:
        # a process of its own each: what it was at its largest is never forgotten
        with STORES[name]() as place, multiprocessing.get_context("spawn").Pool(1) as pool:
            total, grown = pool.apply(child, (place, options.megabytes))
        assert total == options.megabytes * MIB
        rows.append({"store": name, "MB": options.megabytes, "grown by MB": grown / 1024})
    figures.show("memory beside what the process had before", rows)
    figures.keep(options.out, "memory", rows)
