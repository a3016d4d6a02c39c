"""The stores that the contract runs on: add one by adding it to STORES."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from rushes.adapters.storage.local import LocalStorage
from rushes.adapters.storage.s3 import S3Storage
from rushes.adapters.storage.supabase import SupabasePlace
from rushes.ports import ObjectStorage
from tests.contract.storage.moto_server import new_place, s3_server
from tests.contract.storage.real_supabase import new_bucket, opened, real_place, real_url
from tests.contract.storage.stand_in import SERVICE_KEY, StandIn, stand_in

TypeOfStore = Callable[[Path, pytest.FixtureRequest], AbstractAsyncContextManager[ObjectStorage]]


@asynccontextmanager
async def local(folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[ObjectStorage]:
    store = LocalStorage(folder / "objects")
    await store.start()
    yield store


@asynccontextmanager
async def s3(folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[ObjectStorage]:
    store = S3Storage(new_place(request.getfixturevalue("s3_url")))
    await store.start()
    yield store
    await store.aclose()


@asynccontextmanager
async def supabase(folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[ObjectStorage]:
    stand: StandIn = request.getfixturevalue("supabase_stand")
    async with opened(SupabasePlace(bucket=new_bucket(), url=stand.url, key=SERVICE_KEY)) as store:
        yield store


@asynccontextmanager
async def real_supabase(folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[ObjectStorage]:
    async with opened(real_place()) as store:
        yield store


STORES: dict[str, TypeOfStore] = {"local": local, "s3": s3, "supabase": supabase}
if real_url():
    STORES["supabase-real"] = real_supabase


@pytest.fixture(params=sorted(STORES))
async def store(request, tmp_path, anyio_backend):
    async with STORES[request.param](tmp_path, request) as opened:
        yield opened


@pytest.fixture(scope="session")
def s3_url():
    with s3_server() as url:
        yield url


@pytest.fixture(scope="session")
def supabase_stand():
    with stand_in() as stand:
        yield stand


@pytest.fixture
async def disk(tmp_path, anyio_backend):
    """The local store, where a test looks at the file system itself."""
    opened = LocalStorage(tmp_path / "objects")
    await opened.start()
    return opened
