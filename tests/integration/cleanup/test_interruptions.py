"""Clean-up that is killed in the middle, and a store that doesn't do what it is asked."""

import json
import os
import signal
import time
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from rushes.domain.errors import Unavailable
from rushes.domain.keys import job_key, job_prefix
from rushes.ports import JobFiles, ObjectStat, ObjectStorage, StorageRows
from rushes.services.outbox import OutboxWork
from rushes.services.storage_walk import folders
from tests.integration.app.processes import Process
from tests.integration.app.stand import Stand
from tests.integration.cleanup.planted import job, keys, new_id, put
from tests.integration.cleanup.test_retention import empty_outbox

MANY = 700


def command(app: Stand, folder: Path, *arguments: str) -> Process:
    return Process(folder, *arguments, data_dir=app.folder, database_url=app.database_url)


def orphans(app: Stand, count: int) -> None:
    """Files without rows, written at once."""
    for _ in range(count):
        path = app.storage / job_key("sleep", new_id(), "output.png")
        path.parent.mkdir(parents=True)
        path.write_bytes(b"file")
    old = time.time() - 48 * 3600
    for folder, _, names in os.walk(app.storage / "workflows"):
        for name in names:
            os.utime(Path(folder) / name, (old, old))


def found(process: Process) -> dict[str, Any]:
    """What a check said in JSON, at its end."""
    code = process.ended(seconds=60)
    said = process.said()
    told: dict[str, Any] = json.loads(said[said.index("{") :])
    assert code == (1 if told["open"] else 0), said
    return told


def test_killed_in_the_middle_of_a_repair(quiet: Stand, tmp_path: Path):
    kept = put(quiet, job_key("sleep", job(quiet), "output.png"))
    orphans(quiet, MANY)
    with command(quiet, tmp_path, "storage", "check", "--fix", "--force") as process:
        process.until_said("orphan")
        process.send(signal.SIGKILL)
        process.ended()
    left = len(keys(quiet))
    assert left > 1, "it was too fast for this test"
    with command(quiet, tmp_path, "storage", "check", "--fix", "--force", "--json") as process:
        told = found(process)
    assert told["open"] == 0
    booked = quiet.sql("select sum(jsonb_array_length(target)) from public.storage_outbox")[0][0] or 0
    assert len(keys(quiet)) - 1 <= booked, "whatever is still there is booked"
    quiet.sql("update public.storage_outbox set available_at = now()")
    empty_outbox(quiet)
    assert keys(quiet) == [kept]
    assert quiet.sql("select count(*) from public.storage_outbox") == [(0,)]


def test_killed_in_the_middle_of_deletes(quiet: Stand, tmp_path: Path):
    orphans(quiet, MANY)
    kept = put(quiet, job_key("sleep", job(quiet), "output.png"))
    quiet.sql(
        "insert into storage_outbox (action, target) select 'delete_prefix', to_jsonb(p) from unnest(%s::text[]) as p",
        [key.removesuffix("output.png") for key in keys(quiet, "workflows/") if key != kept],
    )
    with command(quiet, tmp_path, "storage", "prune") as process:
        end = time.monotonic() + 30
        while quiet.sql("select count(*) from storage_outbox") == [(MANY,)]:
            assert time.monotonic() < end
            time.sleep(0.005)
        process.send(signal.SIGKILL)
        process.ended()
    ((left,),) = quiet.sql("select count(*) from storage_outbox")
    assert 0 < left < MANY
    assert len(keys(quiet)) - 1 <= left, "no entry is gone whose files are there"
    quiet.sql(
        "update storage_outbox set available_at = now()"
    )  # what it had in hand is tried again after a while
    with command(quiet, tmp_path, "storage", "prune", "--json") as process:
        assert process.ended(seconds=60) == 0
    assert keys(quiet) == [kept]


def test_most_of_all_files_are_not_deleted_without_force(quiet: Stand, tmp_path: Path):
    """As they would be with the wrong database."""
    orphans(quiet, 101)
    with command(quiet, tmp_path, "storage", "check", "--fix") as process:
        assert process.ended(seconds=60) == 1
        assert "--force" in process.said()
    assert quiet.sql("select count(*) from storage_outbox") == [(0,)]
    assert len(keys(quiet)) == 101


class Moody:
    """A store that refuses to delete what is below some folders."""

    def __init__(self, storage: ObjectStorage, refused: Sequence[str]) -> None:
        self._storage = storage
        self._refused = tuple(refused)
        self.asked = 0

    def list(self, prefix: str) -> AsyncIterator[ObjectStat]:
        return self._storage.list(prefix)

    async def delete_many(self, wanted: Sequence[str]) -> None:
        self.asked += 1
        if any(key.startswith(self._refused) for key in wanted):
            raise Unavailable("The store is in a bad mood.")
        await self._storage.delete_many(wanted)


def test_what_fails_holds_up_nothing_else(quiet: Stand):
    prefixes = [job_prefix("sleep", new_id()) for _ in range(40)]
    refused = prefixes[:10]  # the oldest ones: they come first
    for prefix in prefixes:
        put(quiet, f"{prefix}output.png")
        quiet.sql(
            "insert into storage_outbox (action, target) values ('delete_prefix', to_jsonb(%s::text))", prefix
        )
    moody = Moody(quiet.at.storage, refused)
    work = OutboxWork(outbox=quiet.at.outbox, storage=cast(ObjectStorage, moody))
    for _ in range(5):
        quiet.do(work.once)
    assert keys(quiet) == sorted(f"{prefix}output.png" for prefix in refused)
    rows = quiet.sql("select tries, last_error, available_at > now() from storage_outbox")
    assert rows == [(1, "The store is in a bad mood.", True)] * 10
    asked = moody.asked
    quiet.do(work.once)
    assert moody.asked == asked, "not again before a while has passed"
    waits = []
    for _ in range(3):
        quiet.sql(
            "update storage_outbox set available_at = now() where id = (select min(id) from storage_outbox)"
        )
        quiet.do(work.once)
        waits += quiet.sql(
            "select extract(epoch from available_at - now()) from storage_outbox order by id limit 1"
        )
    first, second, third = (float(wait) for (wait,) in waits)
    assert first < second < third
    state = quiet.do(quiet.at.storage_rows.state)
    assert (state["waiting"], state["failing"], state["errors"][0]["tries"]) == (10, 10, 4)
    figures = quiet.do(quiet.at.figures.figures)
    assert (figures.outbox_entries, figures.outbox_failing) == (10, 10)
    empty_outbox(quiet)
    quiet.sql("update storage_outbox set available_at = now()")
    empty_outbox(quiet)
    assert keys(quiet) == []


def test_broken_entries(quiet: Stand):
    kept = put(quiet, job_key("sleep", new_id(), "kept.png"))
    gone = put(quiet, job_key("sleep", new_id(), "gone.png"))
    for action, target in (
        ("delete_prefix", '""'), ("delete_prefix", '"workflows/"'), ("delete_prefix", '"workflows/sleep/"'),
        ("delete_prefix", "null"), ("delete_keys", "5"),
        ("delete_keys", f'["../../etc/passwd", "", "{gone}", "workflows/.hidden"]'),
    ):  # fmt: skip
        quiet.sql("insert into storage_outbox (action, target) values (%s, %s)", action, target)
    empty_outbox(quiet)
    assert keys(quiet) == [kept]
    assert quiet.sql("select count(*), count(last_error) from storage_outbox") == [(5, 5)]


def test_a_check_says_when_the_store_is_away(quiet: Stand, tmp_path: Path):
    """And takes nothing for lost."""
    (tmp_path / "file").touch()
    job(quiet)
    with Process(
        tmp_path, "storage", "check", "--fix", data_dir=quiet.folder, database_url=quiet.database_url,
        storage_url=f"file://{tmp_path}/file/storage",
    ) as process:  # fmt: skip
        assert process.ended(seconds=60) == 1
        assert "can't be used" in process.said()
    assert quiet.sql("select count(*) from rushes.lost_objects") == [(0,)]


class _Endless:
    """Rows and objects of many jobs, made as they are asked for."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    async def types(self) -> list[str]:
        return ["sleep"]

    async def jobs(self, workflow_type: str, after: UUID, *, limit: int) -> list[JobFiles]:
        first = after.int + 1
        return [
            JobFiles(UUID(int=n), True, {job_key(workflow_type, UUID(int=n), "output.png"): 4})
            for n in range(first, min(first + limit, self._jobs + 1))
        ]

    async def list(self, prefix: str) -> AsyncIterator[ObjectStat]:
        assert prefix == "workflows/"
        old = datetime.now(UTC) - timedelta(days=2)
        for n in range(1, self._jobs + 1):
            key = job_key("sleep", UUID(int=n), "output.png")
            yield ObjectStat(key=key, size_bytes=4, etag="", modified_at=old)


@pytest.mark.anyio
async def test_memory_does_not_grow_with_what_is_compared():
    async def peak(jobs: int) -> int:
        many = _Endless(jobs)
        tracemalloc.start()
        compared = 0
        async for folder in folders(cast(StorageRows, many), cast(ObjectStorage, many)):
            compared += folder.job is not None and len(folder.objects)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert compared == jobs
        return most

    few, many = await peak(1_000), await peak(10_000)
    assert many < few + 1_500_000, "bytes; 9,000 jobs more would be over ten times that"
