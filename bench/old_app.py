"""The old app as a process of its own: its statements at a fixed rate, on its old names, whatever stands behind them.

Open loop: a write is due at its moment, however long the ones before it take, and is timed from there. The app knows
what every row that it wrote must be, compares what each RETURNING gives, and writes all of it to a ledger at the end.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import signal
import time
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bench.old_stories import Book, Statement, Story, stories

TIMES, LEDGER, TROUBLES = "times", "ledger.jsonl", "troubles.jsonl"
FIELDS = 3
"""Numbers of a write in the file of times: when it was due, when it began, when it ended; seconds of the monotonic clock."""
_AT_ONCE = 60  # stories that are on their way
_FLUSH_SECONDS = 0.5


@dataclass(slots=True)
class _Turn:
    """A story, and what it says next."""

    story: Story
    said: Statement


@dataclass(slots=True)
class _App:
    url: str
    rate: float
    folder: Path
    book: Book
    queue: asyncio.Queue[tuple[float, _Turn] | None] = field(default_factory=asyncio.Queue)
    ready: list[_Turn] = field(default_factory=list)
    times: "array[float]" = field(default_factory=lambda: array("d"))

    async def play(self, people: int, stop: asyncio.Event) -> None:
        """Until `stop`; what is due by then is still sent."""
        async with asyncio.TaskGroup() as group:
            for _ in range(people):
                group.create_task(self._person())
            flushing = group.create_task(self._flush())
            await self._due(stop)
            await self.queue.join()
            for _ in range(people):
                self.queue.put_nowait(None)
            flushing.cancel()
        self._write_times()
        self.book.close(self.folder / LEDGER)

    async def _due(self, stop: asyncio.Event) -> None:
        chosen, coming = random.Random(11), stories(self.book)
        due = time.monotonic()
        while not stop.is_set():
            due += 1 / self.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if len(self.ready) < _AT_ONCE:
                story = next(coming)
                turn = _Turn(story, next(story))
            else:
                place = chosen.randrange(len(self.ready))
                self.ready[place], self.ready[-1] = self.ready[-1], self.ready[place]
                turn = self.ready.pop()
            self.queue.put_nowait((due, turn))

    async def _person(self) -> None:
        asked = await self.queue.get()
        while asked is not None:
            async with self._connection() as connection:
                while asked is not None and not connection.broken:
                    await self._send(connection, *asked)
                    self.queue.task_done()
                    asked = await self.queue.get()

    async def _send(self, connection: psycopg.AsyncConnection[Any], due: float, turn: _Turn) -> None:
        began = time.monotonic()
        try:
            cursor = await connection.execute(turn.said.sql.encode(), turn.said.values)
            rows = await cursor.fetchall()
        except psycopg.Error as error:
            self.times.extend((due, began, time.monotonic()))
            self._trouble("error", f"{type(error).__name__}: {error} in {turn.said.sql[:80]}")
            self.book.forget(turn.said)
            return
        self.times.extend((due, began, time.monotonic()))
        try:
            self.ready.append(_Turn(turn.story, turn.story.send(rows)))
        except StopIteration:
            return
        except AssertionError as surprise:
            self._trouble("surprise", str(surprise))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        async with await psycopg.AsyncConnection.connect(
            self.url,
            autocommit=True,
            row_factory=psycopg.rows.dict_row,
            options="-c timezone=UTC -c role=service_role",
            application_name="old app",
        ) as connection:
            yield connection

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self._write_times()

    def _write_times(self) -> None:
        with (self.folder / TIMES).open("ab") as file:
            self.times.tofile(file)
        del self.times[:]

    def _trouble(self, kind: str, what: str) -> None:
        with (self.folder / TROUBLES).open("a") as file:
            file.write(json.dumps({"at": time.monotonic(), "kind": kind, "what": what}) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.old_app", description=__doc__)
    parser.add_argument("folder", type=Path, help="where times and ledger go")
    parser.add_argument("--url", required=True)
    parser.add_argument("--rate", type=float, default=200.0, help="writes a second")
    parser.add_argument("--people", type=int, default=20, help="connections")
    parser.add_argument("--rows", type=int, default=0, help="old rows, as bench.old_rows made them")
    asked = parser.parse_args(arguments)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -5)  # a real one has a machine of its own
    except PermissionError:
        pass
    gc.freeze()
    asyncio.run(_until_told(asked))


async def _until_told(asked: argparse.Namespace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    (asked.folder / TROUBLES).touch()
    (asked.folder / TIMES).touch()
    app = _App(asked.url, asked.rate, asked.folder, Book(asked.rows))
    await app.play(asked.people, stop)


if __name__ == "__main__":
    main()
