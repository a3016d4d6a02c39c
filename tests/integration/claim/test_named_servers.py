"""Which servers are in use when several dispatchers name theirs in their settings."""

import asyncio

import pytest

from rushes.adapters.postgres.servers import PostgresProcesses, PostgresServerRegistry
from tests.integration.claim.yard import Yard

pytestmark = pytest.mark.anyio
ONE, TWO, THREE = (f"http://gpu-{number}:8188" for number in (1, 2, 3))


class Place:
    """Dispatchers that start and stop."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.servers = PostgresServerRegistry(database=yard.database)
        self.processes = PostgresProcesses(database=yard.database)

    async def start(self, who: str, *urls: str, demo: bool = False) -> None:
        if urls:
            await self.servers.configure(urls, by=who, demo=demo)
        await self.processes.alive(who)

    async def stop(self, who: str) -> None:
        await self.processes.gone(who)

    async def killed(self, who: str) -> None:
        """A while ago."""
        await self.yard.sql("UPDATE dispatchers SET seen_at = now() - interval '31 s' WHERE id = %s", who)

    async def used(self) -> set[str]:
        return {server.url for server in await self.servers.list() if server.enabled}


@pytest.fixture
def place(yard: Yard) -> Place:
    return Place(yard)


async def test_each_machine_names_its_own(place: Place) -> None:
    await place.start("a", ONE)
    await place.start("b", TWO)
    assert await place.used() == {ONE, TWO}
    await place.stop("a")
    assert await place.used() == {TWO}, "nobody who runs names it"
    await place.start("a", ONE)
    assert await place.used() == {ONE, TWO}
    await place.start("c")  # with no settings of its own
    await place.stop("c")
    assert await place.used() == {ONE, TWO}


async def test_starting_at_the_same_time(place: Place) -> None:
    await place.start("a", ONE, TWO, THREE)
    await place.stop("a")
    urls = [f"http://gpu-{number}:8188" for number in range(1, 9)]
    await asyncio.gather(*(place.servers.configure([url], by=url) for url in urls))
    assert await place.used() == set(urls)


async def test_one_machine_whose_settings_change(place: Place) -> None:
    await place.start("a", ONE, TWO)
    await place.stop("a")
    assert await place.used() == {ONE, TWO}, "nobody else is there who would need them away"
    await place.start("b", TWO, THREE)
    assert await place.used() == {TWO, THREE}


async def test_settings_that_change_process_by_process(place: Place) -> None:
    """The old ones go when the new ones are there."""
    for old in ("a", "b"):
        await place.start(old, ONE, TWO)
    for old, new in (("a", "c"), ("b", "d")):
        await place.start(new, TWO, THREE)
        assert await place.used() == {ONE, TWO, THREE}
        await place.stop(old)
    assert await place.used() == {TWO, THREE}


async def test_what_was_killed_takes_nothing_along_but_has_no_say(place: Place) -> None:
    await place.start("a", ONE)
    await place.start("b", TWO)
    await place.killed("b")
    assert await place.used() == {ONE, TWO}
    await place.start("c", ONE)
    assert await place.used() == {ONE}
    await place.processes.alive("b")  # it was only away
    await place.start("d", THREE)
    assert await place.used() == {ONE, THREE}


async def test_an_administrators_servers_stay(place: Place) -> None:
    await place.servers.add(THREE, name="gpu-3", slots=1)
    await place.start("a", ONE)
    await place.start("b", THREE)
    await place.stop("b")
    await place.stop("a")
    await place.start("c", TWO)
    assert await place.used() == {TWO, THREE}


async def test_the_demo_server_goes_when_a_real_one_comes(place: Place) -> None:
    await place.start("a", ONE, demo=True)
    await place.start("b", TWO, demo=True)
    assert await place.used() == {ONE, TWO}
    await place.start("c", THREE)
    assert await place.used() == {THREE}
