"""What the old app's process wrote down: how long each write took, and what went wrong."""

import json
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.old_app import FIELDS, TIMES, TROUBLES


def writes(at: Path, *spans: tuple[float, float]) -> dict[str, Any]:
    """The old app's writes that were due in those times, by how long they took from there, in milliseconds."""
    took: list[float] = []
    served: list[float] = []
    for due, start, end in _times(at):
        if any(began <= due < ended for began, ended in spans):
            took.append((end - due) * 1000)
            served.append((end - start) * 1000)
    took.sort()
    served.sort()
    return {
        "writes": len(took),
        "p50 ms": _share(took, 0.5),
        "p99 ms": _share(took, 0.99),
        "max ms": _share(took, 1),
        "p99 of a statement ms": _share(served, 0.99),
    }


def middle_second(at: Path, *spans: tuple[float, float]) -> float:
    """The p99 of the middle one of all seconds in those times, in milliseconds: the disk's bad moments, which come and
    go, count as seconds and not by all writes that waited for them."""
    seconds: dict[tuple[float, int], list[float]] = {}
    for due, _, end in _times(at):
        for began, ended in spans:
            if began <= due < ended:
                seconds.setdefault((began, int(due - began)), []).append((end - due) * 1000)
    return _share(sorted(_share(sorted(took), 0.99) for took in seconds.values()), 0.5)


def _times(at: Path) -> Iterator[tuple[float, float, float]]:
    times = array("d")
    times.frombytes((at / TIMES).read_bytes())
    for place in range(0, len(times) - len(times) % FIELDS, FIELDS):
        due, start, end = times[place : place + FIELDS]
        yield due, start, end


def _share(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else float("nan")


def troubles(at: Path, began: float, ended: float) -> Iterator[str]:
    for line in (at / TROUBLES).read_text().splitlines():
        told = json.loads(line)
        if began <= told["at"] < ended + 1.5:
            yield f"{told['kind']}: {told['what']}"
