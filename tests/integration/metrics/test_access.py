"""Who may read the metrics, and what they say while the database is away."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import psycopg
import pytest
from pydantic import SecretStr

from rushes.bootstrap.installation import open_installation
from rushes.bootstrap.serving import listening_socket, serving
from rushes.settings import load
from tests.integration.app.database import app_database
from tests.integration.app.person import error_of
from tests.integration.app.stand import Stand
from tests.integration.metrics.scrape import scrape
from tests.postgres import in_database

TOKEN = "a-token-for-scraping"


@pytest.fixture(scope="module")
def database_url(postgres_server: str) -> Iterator[str]:
    with app_database(postgres_server) as url:
        yield url


@pytest.mark.usefixtures("log")
def test_with_a_token(database_url: str, tmp_path: Path):
    with Stand(database_url, tmp_path, dispatchers=0, metrics_token=SecretStr(TOKEN)) as app:
        answer = app.stranger().get("/metrics")
        assert answer.status_code == 403
        assert "RUSHES_METRICS_TOKEN" in error_of(answer)["message"]
        assert app.person().get("/metrics").status_code == 403
        assert app.stranger().get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert scrape(app.url, Authorization=f"Bearer {TOKEN}").value("rushes_build_info") == 1
        assert app.admin().get("/metrics").status_code == 200


@pytest.mark.anyio
@pytest.mark.usefixtures("log")
async def test_behind_a_proxy_everybody_seems_to_be_here(database_url: str, tmp_path: Path):
    settings = load(data_dir=tmp_path, database_url=database_url, public_url="https://rushes.example.org")
    with closing(listening_socket("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with (
            open_installation(settings) as at,
            serving(at, listener),
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as stranger,
        ):
            assert (await stranger.get("/metrics")).status_code == 403
            assert (await stranger.get("/healthz")).status_code == 200


@contextmanager
def away(url: str) -> Iterator[None]:
    """Nobody gets in, and whoever is in is thrown out."""
    name = url.rpartition("/")[2]
    with psycopg.connect(in_database(url, "postgres"), autocommit=True) as connection:
        connection.execute(f'alter database "{name}" with allow_connections false'.encode())
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
        )
        try:
            yield
        finally:
            connection.execute(f'alter database "{name}" with allow_connections true'.encode())


@pytest.mark.usefixtures("log")
def test_without_a_database(postgres_server: str, tmp_path: Path):
    with app_database(postgres_server) as url, Stand(url, tmp_path, dispatchers=0) as app, away(url):
        seen = scrape(app.url)
        assert seen.value("rushes_database_up") == 0
        assert seen.value("rushes_build_info") == 1
        assert seen.labels("rushes_dispatchers") == [], "left out rather than wrong"
