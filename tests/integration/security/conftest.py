"""The real app without a dispatcher, and the database's stage; docs/explanation/security.md names these tests."""

import pytest

from tests.integration.accounts.conftest import administrator, anna, place, sleeping_type  # noqa: F401  # fixtures
from tests.integration.app.conftest import log  # noqa: F401  # a fixture
from tests.integration.app.person import Person
from tests.integration.app.stand import Stand
from tests.integration.schema.conftest import (  # noqa: F401  # fixtures
    schema_template,
    shared_stage,
    stage,
    stage_url,
)


@pytest.fixture
def browser(place: Stand) -> Person:  # noqa: F811  # the fixture
    """Somebody with a cookie and no header of their own."""
    person = place.stranger()
    assert person.post("/api/auth/anonymous").status_code == 201
    return person
