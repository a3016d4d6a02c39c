"""The servers to talk to: the demo server of both generations, or the real one at RUSHES_TEST_COMFY_URL."""

from collections.abc import AsyncIterator, Iterator

import pytest

from rushes.adapters.comfyui.client import HttpComfyServer, HttpComfyServers
from rushes.testing.comfyui import DemoServer
from tests.integration.comfy_client.graphs import REAL


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=["real"] if REAL else ["0.33.0", "0.3.64"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if REAL:
        yield REAL
        return
    with DemoServer(version=request.param, extra_nodes=True) as demo:
        yield demo.url


@pytest.fixture
async def comfy(url: str) -> AsyncIterator[HttpComfyServer]:
    servers = HttpComfyServers()
    yield servers.at(url)
    await servers.aclose()


@pytest.fixture(params=["0.33.0", "0.3.64"])
def demo(request: pytest.FixtureRequest) -> Iterator[DemoServer]:
    """A demo server of the test's own, to be broken."""
    if REAL:
        pytest.skip("a real server can't be told to fail")
    with DemoServer(version=request.param, extra_nodes=True, max_upload_size=200_000) as server:
        yield server


@pytest.fixture
async def broken(demo: DemoServer) -> AsyncIterator[HttpComfyServer]:
    """The client of that server, with little patience."""
    servers = HttpComfyServers(connect_seconds=1, stall_seconds=1)
    yield servers.at(demo.url)
    await servers.aclose()
