"""What a person's request writes into `workflow_jobs`."""

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import errors
from psycopg.types.json import Jsonb

from rushes.adapters.postgres.limits import exceeded, submit_limits
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.errors import (
    Forbidden,
    IdempotencyInFlight,
    IdempotencyKeyReuse,
    InvalidInput,
    Unavailable,
)
from rushes.domain.job import JobStatus
from rushes.domain.principal import Principal
from rushes.ports import Limits, NewJob

_EDITABLE = ("title", "rating", "tags", "visibility", "deleted")
_REQUIRED = ("tags", "visibility", "deleted")
_COLUMNS = tuple(field.name for field in fields(NewJob))
_dumps = partial(json.dumps, default=str)  # ids and times


class PostgresJobWriter:
    """The port JobWriter."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def insert(self, job: NewJob, limits: Limits) -> bytes:
        asked = {
            "job": Jsonb({name: getattr(job, name) for name in _COLUMNS}, dumps=_dumps),
            "booking": job.deletion_booking,
            **submit_limits(limits),
        }
        try:
            row = await self._database.fetch_then_flush(query("submit_job"), asked, alone_at_once=True)
        except errors.ForeignKeyViolation as error:
            raise Forbidden("Your account is gone; reload the page to get a new one.") from error
        assert row is not None
        verdict, figure, used, needed, body = row
        if verdict == "files_gone":
            raise Unavailable("This took too long: the job's files are gone again. Submit it again.")
        if verdict == "key_taken":  # this took so long that the key went to another request
            raise IdempotencyInFlight(
                "Another request with this Idempotency-Key came first. Ask again in a moment."
            )
        if verdict is not None:
            raise exceeded(verdict, figure, used, needed)
        return str(body).encode()

    async def check_room(self, user_id: UUID, limits: Limits) -> None:
        row = await self._database.fetch(query("room"), {"user_id": user_id, **submit_limits(limits)})
        assert row is not None
        if row[0] is not None:
            raise exceeded(*row)

    async def book_deletion(self, prefix: str) -> int:
        row = await self._database.fetch(query("outbox_book"), {"prefix": prefix})
        assert row is not None
        return int(row[0])

    async def reserve_key(self, user_id: UUID, key: str, body_sha256: str) -> UUID | None:
        row = await self._database.fetch(
            query("key_reserve"), {"user_id": user_id, "key": key, "body_sha256": body_sha256}
        )
        if row is None or row[0]:
            return None
        _, earlier_body, job_id = row
        if earlier_body is not None and earlier_body != body_sha256:
            raise IdempotencyKeyReuse(
                "This Idempotency-Key was used for another request. Use a new key for a new request."
            )
        if job_id is None:
            raise IdempotencyInFlight(
                "The first request with this Idempotency-Key is still running. Ask again in a moment."
            )
        found: UUID = job_id
        return found

    async def settle_key(self, user_id: UUID, key: str, job_id: UUID | None) -> None:
        name = "key_give_back" if job_id is None else "key_settle"
        await self._database.execute(query(name), {"user_id": user_id, "key": key, "job_id": job_id})

    async def request_cancel(self, principal: Principal, job_id: UUID) -> JobStatus | None:
        asked = {"id": job_id}
        if principal.is_admin:
            await self._database.fetch(query("cancel_job"), asked)
        elif principal.user_id is not None:
            await self._database.fetch_as(principal, query("cancel_job"), asked)
        row = await self._database.fetch(query("job_state"), asked)
        if row is None or not (principal.is_admin or (principal.user_id and row[1] == principal.user_id)):
            return None
        return JobStatus(row[0])

    async def edit(self, principal: Principal, job_id: UUID, changes: Mapping[str, Any]) -> bool:
        for name in _REQUIRED:
            if name in changes and changes[name] is None:
                raise InvalidInput({name: "can't be null; leave it out to keep it"})
        params: dict[str, Any] = {"id": job_id}
        for name in _EDITABLE:
            params |= {f"set_{name}": name in changes, name: changes.get(name)}
        if principal.is_admin:
            return await self._database.fetch(query("edit_job"), params) is not None
        if principal.user_id is None:
            return False
        return await self._database.fetch_as(principal, query("edit_job"), params) is not None
