"""Shared by all tests."""

import pytest

pytest_plugins = ["tests.postgres"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
