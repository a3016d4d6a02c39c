"""One town for all tests of a module that need real processes."""

from collections.abc import Iterator

import pytest

from tests.chaos.people import Person
from tests.chaos.timeline import Timeline
from tests.chaos.town import Town


@pytest.fixture(scope="module")
def shared_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town(tmp_path_factory.mktemp("town"), Timeline(0), servers=2) as town:
        yield town


@pytest.fixture
def town(shared_town: Town) -> Iterator[Town]:
    """As it was: all run, nothing is wrong, nothing is left to do."""
    yield shared_town
    shared_town.put_right()


@pytest.fixture
def anna(town: Town) -> Iterator[Person]:
    person = Person(town)
    yield person
    person.close()
