"""The app on each kind of store."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rushes.testing.comfyui import DemoServer
from tests.contract.storage.moto_server import KEYS, new_place, s3_server
from tests.contract.storage.real_supabase import new_bucket
from tests.contract.storage.stand_in import SERVICE_KEY, stand_in
from tests.integration.app.database import app_database
from tests.integration.app.person import Person
from tests.integration.app.stand import Stand


class Apps:
    """One app a kind of store, started when it is first needed."""

    def __init__(self, postgres_server: str, demo: DemoServer, folder: Path, stack: ExitStack) -> None:
        self._postgres_server = postgres_server
        self._demo = demo
        self._folder = folder
        self._stack = stack
        self._open: dict[str, Stand] = {}

    def on(self, kind: str) -> Stand:
        if kind not in self._open:
            url = self._stack.enter_context(app_database(self._postgres_server))
            stand = Stand(
                url, self._folder / kind, comfy_urls=[self._demo.url], auth=("local",), **self._settings(kind)
            )
            self._open[kind] = self._stack.enter_context(stand)
        return self._open[kind]

    def _settings(self, kind: str) -> dict[str, Any]:
        if kind == "s3":
            server = self._stack.enter_context(s3_server())
            patch = self._stack.enter_context(pytest.MonkeyPatch.context())
            patch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key_id)
            patch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_access_key)
            return {"storage_url": f"s3://{new_place(server).bucket}?endpoint={server}"}
        if kind == "supabase":
            project = self._stack.enter_context(stand_in())
            return {
                "storage_url": f"supabase://{new_bucket()}",
                "supabase_url": project.url,
                "supabase_secret_key": SERVICE_KEY,
            }
        return {}


@pytest.fixture(scope="session")
def apps(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    with ExitStack() as stack:
        demo = stack.enter_context(DemoServer())
        yield Apps(postgres_server, demo, tmp_path_factory.mktemp("apps"), stack)


@pytest.fixture(params=["local", "s3", "supabase"])
def app(request: pytest.FixtureRequest, apps: Apps) -> Stand:
    return apps.on(request.param)


@pytest.fixture(params=["s3", "supabase"])
def far_app(request: pytest.FixtureRequest, apps: Apps) -> Stand:
    """On a store that serves files itself."""
    return apps.on(request.param)


@pytest.fixture
def local_app(apps: Apps) -> Stand:
    return apps.on("local")


@pytest.fixture
def supabase_app(apps: Apps) -> Stand:
    return apps.on("supabase")


@pytest.fixture
def anna(app: Stand) -> Person:
    return app.person()
