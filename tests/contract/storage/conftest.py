"""The stores that the contract runs on: add one by adding it to STORES."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from rushes.adapters.storage.local import LocalStorage
from rushes.ports import ObjectStorage


@asynccontextmanager
async def local(folder: Path) -> AsyncIterator[ObjectStorage]:
    store = LocalStorage(folder / "objects")
    await store.start()
    yield store


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[ObjectStorage]]] = {"local": local}


@pytest.fixture(params=sorted(STORES))
async def store(request, tmp_path, anyio_backend):
    async with STORES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
async def disk(tmp_path, anyio_backend):
    """The local store, where a test looks at the file system itself."""
    opened = LocalStorage(tmp_path / "objects")
    await opened.start()
    return opened
