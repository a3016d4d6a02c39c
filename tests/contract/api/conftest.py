"""The real API without a dispatcher: what is submitted stays as it is."""

from collections.abc import Iterator

import pytest

from tests.integration.app.conftest import log  # noqa: F401  # a fixture
from tests.integration.app.database import app_database
from tests.integration.app.person import Person
from tests.integration.app.stand import Stand


@pytest.fixture(scope="module")
def app(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path_factory.mktemp("app"), dispatchers=0, limit_jobs_per_day=100_000) as stand,
    ):
        yield stand


@pytest.fixture(scope="module")
def administrator(app: Stand) -> Person:
    account = app.do(app.at.accounts.administrator)
    assert account.user_id
    return app.signed_in(account.user_id)


@pytest.fixture(scope="module")
def person(app: Stand) -> Person:
    return app.person()
