"""A whole table, in batches by key that several connections take in at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rushes.domain.errors import Unavailable
from rushes.legacy.changes import take
from rushes.legacy.pace import Pace
from rushes.legacy.queries import filled, query
from rushes.legacy.tables import Shape, size_of
from rushes.ports.legacy import LegacyDatabase

_TRIES = 3

Progressed = Callable[[int], None]
"""Called with the rows that are in."""


@dataclass(frozen=True, slots=True)
class Lane:
    """The connections of one worker; `source` only where the old tables are in another database."""

    source: LegacyDatabase | None
    target: LegacyDatabase


@dataclass(frozen=True, slots=True)
class _Batch:
    number: int
    after: str | None
    last: str
    rows: int


@dataclass(slots=True, kw_only=True)
class Bulk:
    """The way through one table: batches are handed out in order, and booked in order once they are in."""

    source: LegacyDatabase
    target: LegacyDatabase
    tables: Mapping[str, Shape]
    name: str
    batch_rows: int
    batch_bytes: int
    last: str | None  # where an earlier run came to
    rows: int
    fresh: bool  # no row of this table is here yet
    pace: Pace
    written: int = 0
    _handed: int = 0
    _end: str | None = None
    _in: dict[int, _Batch] = field(default_factory=dict)
    _booked: int = 0
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _booking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, lanes: Sequence[Lane], progress: Progressed) -> None:
        """Raises what the first lane that fails raises."""
        self._end = self.last
        await together(*(self._lane(lane, progress) for lane in lanes))
        await self._book(finished=True)

    async def _lane(self, lane: Lane, progress: Progressed) -> None:
        there_is_more = True
        while there_is_more:
            async with self.pace.step() as gentle:
                there_is_more = await self._step(lane, progress, gentle=gentle)

    async def _step(self, lane: Lane, progress: Progressed, *, gentle: bool) -> bool:
        """One batch; whether there was one."""
        batch = await self._next(self.pace.rows(self.batch_rows, gentle=gentle))
        if batch is None:
            return False
        written = await self._patiently(lane, batch)
        self.written += written  # not before: the other lanes add theirs meanwhile
        async with self._booking:
            self._in[batch.number] = batch
            while self._booked in self._in:
                booked = self._in.pop(self._booked)
                self._booked, self.last, self.rows = self._booked + 1, booked.last, self.rows + booked.rows
            await self._book(finished=False)
        progress(self.rows)
        return True

    async def _next(self, rows: int) -> _Batch | None:
        shape = self.tables[self.name]
        async with self._asking:
            bounds = await self.source.fetch(
                filled(
                    "batch_bounds",
                    key=shape.key,
                    relation=shape.relation,
                    size=size_of(self.tables, self.name),
                    range=after(shape, self._end),
                ),
                {"after": self._end, "most": rows, "bytes": self.batch_bytes},
            )
            if not bounds:
                return None
            batch = _Batch(self._handed, self._end, bounds[0][0], bounds[0][1])
            self._handed, self._end = self._handed + 1, batch.last
            return batch

    async def _patiently(self, lane: Lane, batch: _Batch) -> int:
        """Once more when two batches got in each other's way."""
        shape = self.tables[self.name]
        within = f"{after(shape, batch.after)} AND t.{shape.key} <= %(last)s::{shape.key_type}"
        params = {"after": batch.after, "last": batch.last}
        for left in reversed(range(_TRIES)):
            try:
                async with lane.target.transaction():
                    await lane.target.execute(query("batch_settings"))
                    return await take(
                        lane.target, lane.source, self.tables, self.name, within, params, fresh=self.fresh
                    )
            except Unavailable:
                if not left:
                    raise
        raise AssertionError("unreachable")

    async def _book(self, *, finished: bool) -> None:
        await self.target.execute(
            query("progress_put"),
            {
                "step": "migrate",
                "name": self.name,
                "last": self.last,
                "done": self.rows,
                "finished": finished,
            },
        )


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """At the same time; the first that fails ends the others, and what it raises is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except BaseExceptionGroup as group_of:
        raise group_of.exceptions[0] from None


def after(shape: Shape, last: str | None) -> str:
    """The condition on `t` for rows that come after a key."""
    return "true" if last is None else f"t.{shape.key} > %(after)s::{shape.key_type}"
