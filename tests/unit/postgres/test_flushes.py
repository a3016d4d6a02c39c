"""One flush for all who wait, and never one that began before they asked."""

import asyncio

import pytest

from rushes.adapters.postgres.flushes import Flushes
from rushes.domain.errors import Unavailable

pytestmark = pytest.mark.anyio


class Disk:
    """Flushes that last until they are let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.gate = asyncio.Semaphore(0)
        self.broken = False

    async def flush(self) -> None:
        self.begun += 1
        await self.gate.acquire()
        if self.broken:
            raise Unavailable("The disk is gone.")


async def started(disk: Disk, count: int) -> None:
    while disk.begun < count:
        await asyncio.sleep(0)


async def test_those_who_come_while_one_is_under_way_share_the_next() -> None:
    disk = Disk()
    flushes = Flushes(disk.flush)
    first = asyncio.create_task(flushes.wait())
    await started(disk, 1)
    late = [asyncio.create_task(flushes.wait()) for _ in range(20)]
    await asyncio.sleep(0)
    disk.gate.release()
    await first
    await started(disk, 2)
    assert not any(task.done() for task in late), "that flush began before they asked"
    disk.gate.release()
    await asyncio.gather(*late)
    assert disk.begun == 2


async def test_a_flush_that_fails_is_everybodys_fault_who_waited_and_nobody_elses() -> None:
    disk = Disk()
    disk.gate = asyncio.Semaphore(9)
    disk.broken = True
    flushes = Flushes(disk.flush)
    ended = await asyncio.gather(flushes.wait(), flushes.wait(), return_exceptions=True)
    assert [type(each) for each in ended] == [Unavailable, Unavailable]
    disk.broken = False
    await flushes.wait()


async def test_somebody_who_stops_waiting_stops_nobody_else() -> None:
    disk = Disk()
    flushes = Flushes(disk.flush)
    gone, stays = asyncio.create_task(flushes.wait()), asyncio.create_task(flushes.wait())
    await started(disk, 1)
    gone.cancel()
    disk.gate.release()
    await stays
    assert disk.begun == 1
