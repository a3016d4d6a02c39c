"""What must be true once everything has ended, asked of the database, the storage and the servers themselves."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.chaos.kinds import Kind, made_right
from tests.chaos.town import Town

ENDED = ("completed", "failed", "cancelled")
# How a job may fail that nothing is wrong with: every attempt was shot down.
SHOT = ("server_lost", "out_of_memory", "upload_failed")


@dataclass
class Submitted:
    """A job as its owner knows it."""

    id: str
    kind: Kind
    mark: int
    cancel_asked: bool = False


class Audit:
    """Everything that is wrong, in words; nothing is left out because something before it was wrong too."""

    def __init__(self, town: Town, jobs: list[Submitted], *, shot_allowed: int) -> None:
        self._town = town
        self._jobs = {UUID(job.id): job for job in jobs}
        self._shot_allowed = shot_allowed
        self.ends: Counter[str] = Counter()
        self.attempts: Counter[int] = Counter()
        self._completed: set[str] = set()

    def faults(self) -> list[str]:
        """Wait for what may still be under way, then look at everything."""
        self._settle()
        return [
            *self._rows(),
            *self._events(),
            *self._attempts(),
            *self._slots(),
            *self._objects(),
            *self._logs(),
        ]

    def _settle(self) -> None:
        """Deletes that are booked happen soon; previews too."""
        town = self._town
        town.database.sql("update storage_outbox set available_at = now()")
        town.until(lambda: town.one("select count(*) from storage_outbox") == 0, "the outbox is empty", 30)
        for comfy in town.comfys:
            town.until(lambda comfy=comfy: not comfy.queue(), f"{comfy.name} has nothing to do", 30)  # type: ignore[misc]  # mypy takes the default for a parameter
        end, before = time.monotonic() + 5, set[Path]()
        while (now := set(self._town.storage.rglob("*"))) != before and time.monotonic() < end:
            before = now
            time.sleep(0.3)

    # --- rows -----------------------------------------------------------------------------------

    def _rows(self) -> Iterator[str]:
        rows = self._town.database.sql(
            "select id, status, workflow_type, attempt, max_attempts, error_code, error_message, outputs, inputs"
            " from workflow_jobs"
        )
        found = {row[0] for row in rows}
        for job_id in self._jobs.keys() - found:
            yield f"{job_id} is lost: it was accepted and is not in the table"
        for job_id in found - self._jobs.keys():
            yield f"{job_id} was never asked for"
        for row in rows:
            if row[0] in self._jobs:
                yield from self._row(self._jobs[row[0]], *row)
        shot = sum(count for end, count in self.ends.items() if end.startswith("failed by fire"))
        if shot > self._shot_allowed:
            yield f"{shot} jobs failed by fire: {dict(self.ends)}"

    def _row(
        self,
        job: Submitted,
        job_id: UUID,
        status: str,
        kind: str,
        attempt: int,
        most: int,
        code: str | None,
        message: str | None,
        outputs: Any,
        inputs: Any,
    ) -> Iterator[str]:
        named = f"{job_id} ({kind}, mark {job.mark})"
        self.attempts[attempt] += 1
        if status == "completed":
            self.ends["completed"] += 1
            self._completed.add(job.id)
            yield from self._results(job, named, outputs, attempt)
            if job.kind.fails_as:
                yield f"{named} completed; it was to fail"
        elif status == "cancelled":
            self.ends["cancelled"] += 1
            if not job.cancel_asked:
                yield f"{named} is cancelled, and nobody asked for that"
        elif status == "failed" and code == job.kind.fails_as:
            self.ends["failed as meant"] += 1
            if f"mark {job.mark}" not in str(message):
                yield f"{named} failed with another job's words: {message}"
        elif status == "failed" and code in SHOT and (attempt == most or code != "server_lost"):
            self.ends[f"failed by fire: {code}"] += 1
        else:
            yield f"{named} is {status} {code or ''} after attempt {attempt}: {message}"

    def _results(self, job: Submitted, named: str, outputs: Any, attempt: int) -> Iterator[str]:
        files = {}
        for file in outputs["files"]:
            path = self._town.storage / file["key"]
            if not path.is_file():
                yield f"{named}: {file['key']} is not in the storage"
                return
            files[file["name"]] = path.read_bytes()
            if hashlib.sha256(files[file["name"]]).hexdigest() != file["sha256"]:
                yield f"{named}: {file['key']} is not what its row says"
            if f"/{job.id}/" not in file["key"]:
                yield f"{named}: {file['key']} is another job's"
        texts = [text["text"] for text in outputs["texts"]]
        if not made_right(job.kind.name, job.mark, files, texts):
            yield f"{named}: attempt {attempt} made {list(files)} {texts}, which is not its result"

    # --- the record -----------------------------------------------------------------------------

    def _events(self) -> Iterator[str]:
        rows = self._town.database.sql(
            "select job_id, count(*) from workflow_job_events"
            " where kind = 'status' and data ->> 'to' = any(%s) group by 1",
            list(ENDED),
        )
        ends: dict[UUID, int] = dict(rows)
        for job_id in self._jobs:
            if ends.get(job_id, 0) != 1:
                yield f"{job_id} ended {ends.get(job_id, 0)} times"

    def _attempts(self) -> Iterator[str]:
        """Numbered from 1 without a gap, one after the other, each with one outcome; the last is the job's."""
        rows = self._town.database.sql(
            "select a.job_id, a.number, a.started_at, a.ended_at, a.outcome, j.status, j.attempt,"
            " lead(a.started_at) over (partition by a.job_id order by a.number)"
            " from workflow_job_attempts a join workflow_jobs j on j.id = a.job_id order by 1, 2"
        )
        counted: Counter[UUID] = Counter()
        for job_id, number, _, ended, outcome, status, last, next_start in rows:
            counted[job_id] += 1
            if number != counted[job_id]:
                yield f"{job_id}: attempt {number} follows attempt {counted[job_id] - 1}"
            if ended is None or outcome is None:
                yield f"{job_id}: attempt {number} never ended"
            elif next_start is not None and next_start < ended:
                yield f"{job_id}: attempt {number + 1} began before attempt {number} ended"
            meant = status if number == last else "retried"
            # a job that is cancelled while it waits for its next attempt ends without another one
            if outcome != meant and not (status == "cancelled" and outcome == "retried"):
                yield f"{job_id}: attempt {number} of {last} is {outcome}, the job {status}"
        for job_id, last in self._town.database.sql("select id, attempt from workflow_jobs"):
            if counted[job_id] != last:
                yield f"{job_id}: {counted[job_id]} attempts are written down, {last} were made"

    def _slots(self) -> Iterator[str]:
        town = self._town
        leases = town.one("select count(*) from workflow_job_leases")
        if leases:
            yield f"{leases} leases are left"
        for user_id, running in town.database.sql(
            "select user_id, running from rushes.user_running where running <> 0"
        ):
            yield f"user {user_id} still counts {running} running jobs"
        for comfy in town.comfys:
            if left := comfy.queue():
                yield f"{comfy.name} still has {left}"

    # --- the storage ----------------------------------------------------------------------------

    def _objects(self) -> Iterator[str]:
        there = {
            path.relative_to(self._town.storage).as_posix()
            for path in self._town.storage.rglob("*")
            if path.is_file()
        }
        there = {key for key in there if not key.startswith(".")}
        wanted = set(self._referenced())
        previews = set(self._previews())
        for key in sorted(wanted - there):
            yield f"{key} is referenced and not there"
        for key in sorted(there - wanted - previews):
            yield f"{key} is there and belongs to nothing"

    def _referenced(self) -> Iterator[str]:
        for inputs, outputs in self._town.database.sql("select inputs, outputs from workflow_jobs"):
            yield from _keys(inputs)
            yield from _keys(outputs)
        for (key,) in self._town.database.sql("select key from uploads where status = 'stored'"):
            yield str(key)

    def _previews(self) -> Iterator[str]:
        """What may be there: uploads whose bytes came while their row was not yet booked, and the previews of a
        completed job whose dispatcher was killed before it told of them (they go with the job)."""
        for path in self._town.storage.glob("workflows/*/*/*.webp"):
            job = self._jobs.get(UUID(path.parent.name))
            if job and path.name.startswith(("thumb_", "poster")) and job.id in self._completed:
                yield path.relative_to(self._town.storage).as_posix()
        for (key,) in self._town.database.sql("select key from uploads where status <> 'stored'"):
            yield str(key)

    # --- the logs -------------------------------------------------------------------------------

    def _logs(self) -> Iterator[str]:
        """Nothing may break that somebody planned for."""
        for part in self._town.parts:
            seen: Counter[str] = Counter()
            said = part.said().splitlines()
            for number, line in enumerate(said):
                if "Traceback" in line:
                    seen[_short(_raised(said[number + 1 :]) or line)] += 1
                elif '"exception"' in line or "Error ignored" in line:
                    seen[_short(line)] += 1
            for what, count in seen.items():
                yield f"{part.name} broke {count} times: {what}"


def _raised(after: list[str]) -> str | None:
    """What a traceback ends with."""
    return next((line for line in after if line and not line.startswith((" ", "\t", "Traceback"))), None)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name in ("key", "thumb_key", "poster_key") and isinstance(each, str):
                yield each
            else:
                yield from _keys(each)
    elif isinstance(value, list):
        for each in value:
            yield from _keys(each)


def _short(line: str) -> str:
    try:
        said = json.loads(line)
    except ValueError:
        return line[:300]
    last = str(said.get("exception", "")).strip().splitlines()
    return f"{said.get('event')}: {' / '.join(last[-3:])}"
