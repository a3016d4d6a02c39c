"""An app of its own for each module: what it counts is then what the module's tests did."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from rushes.adapters.metrics import page
from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.stand import Stand
from tests.integration.app.types import SLEEPER, install, node, simple, sleeper_graph


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the app in this process says, as JSON lines."""
    before = structlog.get_config()
    path = tmp_path_factory.mktemp("log") / "app.log"
    with path.open("w", buffering=1) as file:
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.PrintLoggerFactory(file),
            cache_logger_on_first_use=False,
        )
        yield path
        structlog.configure(**before)


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    with DemoServer(extra_nodes=True) as server:
        yield server


@pytest.fixture(scope="module")
def own_types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("types")
    install(folder, "sleep", SLEEPER, sleeper_graph())
    save = node("SaveImage", images=["1", 0], filename_prefix="x")
    broken = node("RushesDemoFail", message="the prompt was: a secret fox")
    install(folder, "failing", simple("Failing"), {"1": broken, "2": save})
    model = node("CheckpointLoaderSimple", ckpt_name="nowhere.safetensors")
    install(folder, "no-model", simple("No model"), {"1": model, "2": save})
    return folder


@pytest.fixture(scope="module")
def app(
    postgres_server: str,
    demo: DemoServer,
    own_types: Path,
    log: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stand]:
    with (
        pytest.MonkeyPatch.context() as patched,
        app_database(postgres_server) as url,
        Stand(
            url,
            tmp_path_factory.mktemp("app"),
            comfy_urls=[demo.url],
            workflows_dir=own_types,
            lease_seconds=5,
        ) as stand,
    ):
        patched.setattr(page, "FRESH_SECONDS", 0.2)
        yield stand
