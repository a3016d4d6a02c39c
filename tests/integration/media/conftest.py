"""A real local store, real workers, and media made on the spot."""

import pytest

from rushes.adapters.media import MediaWorkers
from rushes.adapters.storage.local import LocalStorage
from tests.integration.media.made import Shelf


@pytest.fixture(scope="module")
def anyio_backend():
    """One event loop a module, so that its tests share the worker processes."""
    return "asyncio"


@pytest.fixture(scope="module")
async def shelf(tmp_path_factory, anyio_backend):
    """Files that were put into a store, looked at by real worker processes."""
    folder = tmp_path_factory.mktemp("media")
    store = LocalStorage(folder / "objects")
    await store.start()
    media = MediaWorkers(store, temp_dir=folder / "temp", workers=1)
    await media.start()
    yield Shelf(store, media)
    await media.stop()
