"""Data directories that are gone afterwards, with the database behind them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rushes.adapters.postgres.embedded import EmbeddedPostgres
from tests.integration.cli.rushes import Rushes, Started


@pytest.fixture(scope="module")
def rushes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rushes]:
    """Commands on a data directory of the module's own."""
    found = Rushes(tmp_path_factory.mktemp("cli"))
    yield found
    EmbeddedPostgres(found.data_dir).remove()


@pytest.fixture(scope="module")
def up(rushes: Rushes) -> Iterator[Started]:
    """`rushes up` on that directory, with the demo server."""
    running = rushes.start("up", "--demo", "--port", "0", "--no-browser")
    running.says("Rushes is up")
    yield running
    done = running.stop()
    assert done.code == 0, done


@pytest.fixture(scope="module")
def url(up: Started) -> str:
    return up.says(r"Rushes is up: (\S+)")


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[Rushes]:
    """Commands on a directory that nothing has been made in."""
    found = Rushes(tmp_path)
    yield found
    EmbeddedPostgres(found.data_dir).remove()
