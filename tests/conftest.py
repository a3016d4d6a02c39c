"""Shared by all tests."""

import os

import pytest
from hypothesis import HealthCheck, settings

# The same examples at every run, however slow the machine; RUSHES_TEST_RANDOM=1 looks for new ones.
settings.register_profile(
    "rushes",
    derandomize=not os.environ.get("RUSHES_TEST_RANDOM"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("rushes")

pytest_plugins = ["tests.postgres"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
