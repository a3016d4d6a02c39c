"""The server under test: the demo server in each generation, or the one RUSHES_TEST_COMFY_URL names."""

import os
from collections.abc import Iterator

import pytest

from rushes.testing.comfyui import DemoServer
from tests.contract.comfyui.api import Comfy
from tests.contract.comfyui.record import upload_inputs

REAL = os.environ.get("RUSHES_TEST_COMFY_URL")
VERSIONS = ("0.33.0", "0.3.64")


@pytest.fixture(scope="session", params=[REAL] if REAL else VERSIONS)
def comfy(request: pytest.FixtureRequest) -> Iterator[Comfy]:
    if REAL:
        found = Comfy(REAL)
        if found.version not in VERSIONS:
            pytest.skip(f"nothing is recorded of ComfyUI {found.version}, only of {' and '.join(VERSIONS)}")
        upload_inputs(found)
        yield found
        found.http.close()
        return
    with DemoServer(version=request.param, extra_nodes=True) as server:
        found = Comfy(server.url)
        upload_inputs(found)
        yield found
        found.http.close()


@pytest.fixture
def demo_nodes(comfy: Comfy) -> None:
    """For tests that need the RushesDemo nodes."""
    if "RushesDemoSleep" not in comfy.classes:
        pytest.skip("this server has no RushesDemo nodes to wait, fail, block and show with")
