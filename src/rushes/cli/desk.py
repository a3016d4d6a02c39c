"""Where one-shot commands do their work: the installation of a data directory, or a Rushes elsewhere."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from rushes.adapters.remote.api import RemoteApi
from rushes.bootstrap.installation import Installation, open_installation
from rushes.cli.output import say
from rushes.domain.errors import InvalidInput, NotFound
from rushes.domain.principal import Principal
from rushes.ports import JobQuery
from rushes.services.forms import FilePart
from rushes.services.lifecycle import NO_SUCH_JOB
from rushes.services.submission import Submit
from rushes.services.uploads import tidy_name
from rushes.settings import Settings
from rushes.web.cursor import encode
from rushes.web.job_filters import listing, paged

BLOCK = 1 << 20
Json = dict[str, Any]
Files = Sequence[tuple[str, Path]]


class Desk(Protocol):
    """What a command may ask for."""

    async def submit(
        self, workflow_type: str, texts: Sequence[tuple[str, str]], files: Files, options: Json
    ) -> Json: ...

    async def job(self, job_id: UUID) -> Json: ...

    async def jobs(self, query: JobQuery, after: str | None) -> Json: ...

    async def cancel(self, job_id: UUID) -> Json: ...

    async def delete(self, job_id: UUID) -> None: ...

    async def purge(self, job_id: UUID) -> None: ...

    async def empty_trash(self) -> int: ...

    async def download(self, key: str, target: Path) -> None: ...

    async def waiting_for(self) -> str | None:
        """Why jobs don't run at all, in words; None when they do."""
        ...


class LocalDesk:
    """Works as the installation's administrator, straight on its database and files."""

    def __init__(self, at: Installation, principal: Principal) -> None:
        self.at = at
        self._principal = principal

    async def submit(
        self, workflow_type: str, texts: Sequence[tuple[str, str]], files: Files, options: Json
    ) -> Json:
        parts = [_part(name, path) for name, path in files]
        async with self.at.forms.inputs(self._principal, workflow_type, texts, parts) as filled:
            asked = Submit(workflow_type=workflow_type, inputs=filled.inputs, **options)
            submitted = await self.at.submission.submit(self._principal, asked)
        return await self.job(submitted.job_id)

    async def job(self, job_id: UUID) -> Json:
        body = await self.at.reader.one(self._principal, job_id)
        if body is None:
            raise NotFound(NO_SUCH_JOB)
        found: Json = json.loads(body)
        return found

    async def jobs(self, query: JobQuery, after: str | None) -> Json:
        page = await self.at.reader.page(self._principal, paged(query, query.limit, after))
        cursor = encode(page.last_id, listing(query)) if page.has_more and page.last_id else None
        return {
            "data": json.loads(page.data),
            "pagination": {"has_more": page.has_more, "next_cursor": cursor},
        }

    async def cancel(self, job_id: UUID) -> Json:
        await self.at.lifecycle.cancel(self._principal, job_id)
        return await self.job(job_id)

    async def delete(self, job_id: UUID) -> None:
        await self.at.lifecycle.delete(self._principal, job_id)

    async def purge(self, job_id: UUID) -> None:
        await self.at.trash.purge(self._principal, job_id)

    async def empty_trash(self) -> int:
        purged, more = 0, True
        while more:
            batch, more = await self.at.trash.empty(self._principal)
            purged += batch
        return purged

    async def download(self, key: str, target: Path) -> None:
        draft = target.with_name(f".{target.name}.part")
        try:
            with draft.open("wb") as out:
                async for block in self.at.storage.open(key):
                    out.write(block)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    async def waiting_for(self) -> str | None:
        readiness = await self.at.processes.readiness()
        if not readiness.dispatchers:
            return (
                "No dispatcher is running: the job waits until `rushes up` or `rushes dispatch` is started."
            )
        if not readiness.servers_up:
            return f"No ComfyUI server can be reached ({readiness.last_error or 'none is set up'}): the job waits."
        return None


class RemoteDesk:
    """Works over the HTTP API, as whoever the token belongs to."""

    def __init__(self, api: RemoteApi, tell: Callable[[str], None]) -> None:
        self._api = api
        self._tell = tell

    async def submit(
        self, workflow_type: str, texts: Sequence[tuple[str, str]], files: Files, options: Json
    ) -> Json:
        newcomer = await self._run(self._sign_in)
        own = [
            (name, value if isinstance(value, str) else json.dumps(value))
            for name, value in options.items()
            if value is not None
        ]
        fields = [("workflow_type", workflow_type), *own, *texts]
        sent = [(name, path, tidy_name(path.name)) for name, path in files]
        job: Json = await self._run(self._api.submit, fields, sent)
        if newcomer:
            self._tell(
                f"A new anonymous account owns the job. To see it again: RUSHES_TOKEN={self._api.token}"
            )
        return job

    async def job(self, job_id: UUID) -> Json:
        found: Json = await self._run(self._api.call, "GET", f"/api/jobs/{job_id}")
        return found

    async def jobs(self, query: JobQuery, after: str | None) -> Json:
        pairs = [("scope", query.scope), ("limit", str(query.limit))]
        pairs += [("trash", "true")] if query.trash else []
        pairs += [("workflow_type", one) for one in query.workflow_types]
        pairs += [("status", one) for one in query.statuses]
        pairs += [(name, value) for name, value in (("q", query.q), ("after", after)) if value]
        found: Json = await self._run(lambda: self._api.call("GET", "/api/jobs", query=pairs))
        return found

    async def cancel(self, job_id: UUID) -> Json:
        found: Json = await self._run(self._api.call, "POST", f"/api/jobs/{job_id}/cancel")
        return found

    async def delete(self, job_id: UUID) -> None:
        await self._run(self._api.call, "DELETE", f"/api/jobs/{job_id}")

    async def purge(self, job_id: UUID) -> None:
        await self._run(self._api.call, "POST", f"/api/jobs/{job_id}/purge")

    async def empty_trash(self) -> int:
        purged, more = 0, True
        while more:
            told: Json = await self._run(self._api.call, "POST", "/api/trash/empty")
            purged, more = purged + told["purged"], told["more"]
        return purged

    async def download(self, key: str, target: Path) -> None:
        await self._run(self._api.download, f"/storage/{key}", target)

    async def waiting_for(self) -> str | None:
        return None  # the job's waiting_reason says it

    def _sign_in(self) -> bool:
        """Without a token a job gets an anonymous account, as at a browser's first visit."""
        if self._api.token is not None:
            return False
        self._api.token = str(self._api.call("POST", "/api/auth/anonymous")["token"])
        return True

    async def _run(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.to_thread(call, *args)


@asynccontextmanager
async def open_desk(settings: Settings, server: str | None, token: str | None) -> AsyncIterator[Desk]:
    """The desk that the options name."""
    if server:
        yield RemoteDesk(RemoteApi(server, token), say)
        return
    async with open_installation(settings) as at:
        yield LocalDesk(at, await at.accounts.administrator())


def _part(name: str, path: Path) -> FilePart:
    async def chunks() -> AsyncIterator[bytes]:
        with path.open("rb") as file:
            while block := await asyncio.to_thread(file.read, BLOCK):
                yield block

    try:
        if path.is_dir():
            raise InvalidInput({name: f"{path} is a folder; name a file"})
        size = path.stat().st_size
    except OSError as error:
        raise InvalidInput({name: f"{path} can't be read: {error.strerror}"}) from None
    return FilePart(
        name=name, filename=tidy_name(path.name), size_bytes=size, content_type=None, chunks=chunks
    )
