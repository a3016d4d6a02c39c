"""An app whose rows and files tests may age, lose and plant."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.app.conftest import anna, app, demo, log  # noqa: F401  # fixtures
from tests.integration.app.database import app_database
from tests.integration.app.stand import Stand
from tests.integration.app.types import SLEEPER, install, sleeper_graph

OWN_DAYS = """
[retain_days]
completed = 2
failed = "off"
"""


@pytest.fixture(scope="session")
def own_types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("types")
    install(folder, "sleep", SLEEPER, sleeper_graph())
    install(folder, "brief", SLEEPER + OWN_DAYS, sleeper_graph())
    install(folder, "broken", "title = 5", sleeper_graph())
    return folder


@pytest.fixture
def quiet(postgres_server: str, own_types: Path, tmp_path: Path) -> Iterator[Stand]:
    """Of the test's own, where nothing happens by itself."""
    with (
        app_database(postgres_server) as url,
        Stand(
            url, tmp_path / "app", workflows_dir=own_types, dispatchers=0, retain_completed_days=100
        ) as stand,
    ):
        yield stand
