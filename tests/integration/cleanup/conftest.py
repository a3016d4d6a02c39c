"""An app whose rows and files tests may age, lose and plant."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.person import Person
from tests.integration.app.stand import Stand
from tests.integration.app.types import SLEEPER, install, sleeper_graph

OWN_DAYS = """
[retain_days]
completed = 2
failed = "off"
"""


@pytest.fixture(scope="session", autouse=True)
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with (tmp_path_factory.mktemp("log") / "cleanup.log").open("w") as file:
        structlog.configure(
            logger_factory=structlog.PrintLoggerFactory(file), cache_logger_on_first_use=False
        )
        yield
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def demo() -> Iterator[DemoServer]:
    with DemoServer(extra_nodes=True) as server:
        yield server


@pytest.fixture(scope="session")
def own_types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("types")
    install(folder, "sleep", SLEEPER, sleeper_graph())
    install(folder, "brief", SLEEPER + OWN_DAYS, sleeper_graph())
    install(folder, "broken", "title = 5", sleeper_graph())
    return folder


@pytest.fixture(scope="session")
def app(
    postgres_server: str, demo: DemoServer, own_types: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stand]:
    """With a dispatcher, for what people do."""
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path_factory.mktemp("app"), comfy_urls=[demo.url], workflows_dir=own_types) as stand,
    ):
        yield stand


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


@pytest.fixture
def anna(app: Stand) -> Person:
    return app.person()
