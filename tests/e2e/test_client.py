"""The page's types come from the API as it is."""

import json

from rushes.web.app import create_app
from tests.e2e.conftest import PAGE


def test_the_pages_openapi_is_the_apis() -> None:
    kept = json.loads((PAGE / "openapi.json").read_text())
    now = json.loads(json.dumps(create_app(None).openapi()))
    assert kept == now, "run `rushes openapi > web/openapi.json`, then `npm run api` in web/"


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (PAGE / "package-lock.json").read_text()
