"""Prompts reach a server in the order in which their jobs were claimed."""

import asyncio
import time

import pytest

from rushes.services.hold import Hold
from tests.unit.services.claims import claim

pytestmark = pytest.mark.anyio


def two() -> tuple[Hold, Hold]:
    first, second = Hold(claim()), Hold(claim())
    second.follow(first)
    return first, second


async def test_the_second_waits_until_the_first_is_sent() -> None:
    first, second = two()
    await first.turn(30)
    waiting = asyncio.create_task(second.turn(30))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    first.sent()
    await asyncio.wait_for(waiting, 1)


async def test_but_not_for_long_and_only_once() -> None:
    _, second = two()
    began = time.monotonic()
    await second.turn(0.05)
    assert time.monotonic() - began >= 0.05
    await asyncio.wait_for(second.turn(30), 1)
