"""Identifiers: UUIDv7 as RFC 9562 says, strictly increasing in a process, from any thread."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import RFC_4122, UUID

import pytest

from rushes.adapters import clock
from rushes.adapters.clock import SystemClock


def milliseconds(made: UUID) -> int:
    return made.int >> 80


def test_version_variant_and_time() -> None:
    before = time.time_ns() // 1_000_000
    made = [SystemClock().uuid7() for _ in range(200)]
    after = time.time_ns() // 1_000_000
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {RFC_4122}
    assert all(before <= milliseconds(one) <= after for one in made)


def test_each_is_greater_than_the_one_before_as_text_too() -> None:
    one_clock = SystemClock()
    made = [one_clock.uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert [str(one) for one in made] == sorted({str(one) for one in made})


def test_threads_never_get_the_same() -> None:
    one_clock = SystemClock()
    with ThreadPoolExecutor(8) as pool:
        made = [
            one
            for part in pool.map(lambda _: [one_clock.uuid7() for _ in range(2000)], range(8))
            for one in part
        ]
    assert len({one.int >> 64 for one in made}) == len(made), "the ordered part alone must differ"


def test_a_clock_that_is_set_back_goes_on_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    one_clock = SystemClock()
    first = one_clock.uuid7()
    monkeypatch.setattr(clock, "time", SimpleNamespace(time_ns=lambda: 0))
    assert first < one_clock.uuid7() < one_clock.uuid7()


def test_now_has_a_zone() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs((datetime.now(UTC) - now).total_seconds()) < 5
