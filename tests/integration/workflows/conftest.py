"""A server to run previews on: the demo server, or the one that RUSHES_TEST_COMFY_URL names."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rushes.adapters.catalog import FolderCatalog
from rushes.testing.comfyui.server import DemoServer
from tests.integration.workflows.comfy import Comfy

FOLDERS = Path(__file__).parents[3] / "workflows"


@pytest.fixture(scope="module")
def catalog() -> FolderCatalog:
    return FolderCatalog([FOLDERS])


@pytest.fixture(scope="module", params=["0.33.0", "0.3.64"])
def comfy(request) -> Iterator[Comfy]:
    real = os.environ.get("RUSHES_TEST_COMFY_URL")
    if real:
        if request.param != "0.33.0":
            pytest.skip("one real server is one generation")
        client = Comfy(real)
        yield client
        client.close()
        return
    with DemoServer(version=request.param) as server:
        client = Comfy(server.url)
        yield client
        client.close()
