"""The stores that the contract runs on: add one by adding it to STORES."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from rushes.adapters.storage.local import LocalStorage
from rushes.adapters.storage.s3 import S3Storage
from rushes.ports import ObjectStorage
from tests.contract.storage.moto_server import new_place, s3_server

type_of_store = Callable[[Path, pytest.FixtureRequest], AbstractAsyncContextManager[ObjectStorage]]


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


STORES: dict[str, type_of_store] = {"local": local, "s3": s3}


@pytest.fixture(params=sorted(STORES))
async def store(request, tmp_path, anyio_backend):
    async with STORES[request.param](tmp_path, request) as opened:
        yield opened


@pytest.fixture(scope="session")
def s3_url():
    with s3_server() as url:
        yield url


@pytest.fixture
async def disk(tmp_path, anyio_backend):
    """The local store, where a test looks at the file system itself."""
    opened = LocalStorage(tmp_path / "objects")
    await opened.start()
    return opened
