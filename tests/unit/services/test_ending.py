"""Background tasks end, even where a cancel gets lost."""

import asyncio

import pytest

from rushes.services import ending
from rushes.services.ending import ended

pytestmark = pytest.mark.anyio


async def test_a_task_that_loses_a_cancel_gets_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "REPEAT_SECONDS", 0.02)
    lost = 0

    async def loses_two() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost > 2:
                    raise

    task = asyncio.create_task(loses_two())
    await asyncio.sleep(0)
    await ended(task)
    assert task.cancelled()
    assert lost == 3


async def test_tasks_that_are_over_or_fail_are_no_trouble() -> None:
    async def fails() -> None:
        raise RuntimeError("broken")

    async def works() -> int:
        return 1

    over, broken = asyncio.create_task(works()), asyncio.create_task(fails())
    await asyncio.wait([over, broken])
    await ended(over, broken)
    await ended()
    assert over.result() == 1
