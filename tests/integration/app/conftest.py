"""One app for most tests of a worker: people are apart by their accounts. What breaks things makes its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.person import Person
from tests.integration.app.stand import Stand
from tests.integration.app.types import SLEEPER, install, sleeper_graph


@pytest.fixture(scope="session", autouse=True)
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """To a file: what the app says must not depend on whose output pytest captures when."""
    with (tmp_path_factory.mktemp("log") / "app.log").open("w") as file:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.PrintLoggerFactory(file),
            cache_logger_on_first_use=False,
        )
        yield
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def demo() -> Iterator[DemoServer]:
    with DemoServer(extra_nodes=True) as server:
        yield server


@pytest.fixture(scope="session")
def own_types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with workflow types beside those that ship."""
    folder = tmp_path_factory.mktemp("types")
    install(folder, "sleep", SLEEPER, sleeper_graph())
    return folder


@pytest.fixture(scope="session")
def app(
    postgres_server: str, demo: DemoServer, own_types: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stand]:
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path_factory.mktemp("app"), comfy_urls=[demo.url], workflows_dir=own_types) as stand,
    ):
        yield stand


@pytest.fixture
def anna(app: Stand) -> Person:
    return app.person()


@pytest.fixture
def bert(app: Stand) -> Person:
    return app.person()
