"""Databases as a Supabase project has them, in a cluster of their own: the roles belong to a whole cluster."""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg
import pytest

from rushes.adapters.postgres.embedded import EmbeddedPostgres
from tests.postgres import FAST, binaries, flavours, in_database, reachable_folder

SCRIPTS = (Path(__file__).parents[1] / "schema" / "supabase.sql", Path(__file__).with_name("project.sql"))
TEMPLATE = "project"


class Project:
    """The addresses of one project's database. `url` is the customer's."""

    def __init__(self, superuser: str, password: str) -> None:
        self.superuser = superuser
        self.url = as_login(superuser, "customer", password)
        self.authenticator = as_login(superuser, "authenticator", "authenticator")


def as_login(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(cast(Any, statement))


@pytest.fixture(scope="session", params=flavours())
def new_project(request: pytest.FixtureRequest) -> Iterator[Callable[[], Project]]:
    """Makes projects, each with nothing of ours in it."""
    chosen = binaries(request.param)
    if chosen is None:
        pytest.skip(f"no {request.param} PostgreSQL here")
    password = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(dir=reachable_folder(), prefix="rushes-supabase-") as folder:
        Path(folder).chmod(0o711)
        postgres = EmbeddedPostgres(
            Path(folder) / "data", binaries=chosen.folder, settings=FAST, system_dir=Path(folder) / "system"
        )
        server = postgres.start()
        execute(
            server,
            f"CREATE ROLE customer LOGIN PASSWORD '{password}' CREATEROLE CREATEDB BYPASSRLS REPLICATION",
        )
        execute(server, f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        for script in SCRIPTS:
            execute(in_database(server, TEMPLATE), script.read_text("utf-8"))

        def made() -> Project:
            name = f"project_{secrets.token_hex(4)}"
            execute(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            execute(server, f"GRANT CREATE ON DATABASE {name} TO customer")
            return Project(in_database(server, name), password)

        yield made
        postgres.stop()
        postgres.remove()


@pytest.fixture
def project(new_project: Callable[[], Project]) -> Project:
    return new_project()
