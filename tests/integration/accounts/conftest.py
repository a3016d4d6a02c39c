"""The real app without a dispatcher: what is submitted stays as it is. People are apart by their accounts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.app.conftest import log  # noqa: F401  # a fixture
from tests.integration.app.database import app_database
from tests.integration.app.person import Person
from tests.integration.app.stand import Stand
from tests.integration.app.types import SLEEPER, install, sleeper_graph


@pytest.fixture(scope="session")
def sleeping_type(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("types")
    install(folder, "sleep", SLEEPER, sleeper_graph())
    return folder


@pytest.fixture(scope="session")
def place(
    postgres_server: str, sleeping_type: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stand]:
    """One app for most tests; no rate stands in their way."""
    with (
        app_database(postgres_server) as url,
        Stand(
            url, tmp_path_factory.mktemp("app"), dispatchers=0, workflows_dir=sleeping_type,
            limit_sign_ins_per_minute=None, limit_submits_per_minute=None,
        ) as stand,
    ):  # fmt: skip
        yield stand


@pytest.fixture
def anna(place: Stand) -> Person:
    return place.person()


@pytest.fixture(scope="session")
def administrator(place: Stand) -> Person:
    return place.admin()
