"""Submit a job: everything is checked and every file is in place before the row is written."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from rushes.domain.errors import InvalidInput, InvalidRequest, Unauthenticated
from rushes.domain.inputs import at_path, dotted, file_fields, validate_inputs
from rushes.domain.job import Visibility
from rushes.domain.metadata import check_metadata
from rushes.domain.principal import Principal
from rushes.domain.workflow import Workflow, prompt_text
from rushes.ports import (
    Clock,
    JobEvents,
    JobReader,
    JobWriter,
    Json,
    Limits,
    Metrics,
    NewJob,
    WorkflowCatalog,
)
from rushes.services.fleet import Fleet
from rushes.services.input_files import InputFiles

log = structlog.get_logger("rushes.job")

PRODUCTION, PREVIEW = "workflow.json", "preview.json"
LATEST_DEADLINE = timedelta(days=3653)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """What a person asks for, as it came in."""

    workflow_type: str
    inputs: Mapping[str, Any]
    title: str | None = None
    priority: int = 5
    visibility: str | None = None
    deadline_at: datetime | None = None
    metadata: Json = field(default_factory=dict)
    parent_id: UUID | None = None
    tags: tuple[str, ...] = ()
    preview: bool | None = None
    user_ip: str | None = None
    idempotency_key: str | None = None

    body_sha256: str | None = None

    def fingerprint(self) -> str:
        """What must be equal for an Idempotency-Key to mean the same request."""
        if self.body_sha256:
            return self.body_sha256
        asked = (
            self.workflow_type,
            self.inputs,
            self.title,
            self.priority,
            self.visibility,
            self.deadline_at,
            self.metadata,
            self.parent_id,
            self.tags,
            self.preview,
        )
        return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Submitted:
    """The job's id, and what it was when it was written; `replayed` when the Idempotency-Key was answered before."""

    job_id: UUID
    body: bytes | None = None
    replayed: bool = False


class Submission:
    """Turns a request into a row, or into an error that says what to mend."""

    def __init__(
        self,
        *,
        catalog: WorkflowCatalog,
        writer: JobWriter,
        reader: JobReader,
        files: InputFiles,
        events: JobEvents,
        clock: Clock,
        random_seed: Callable[[], int],
        limits: Limits,
        default_visibility: str = Visibility.PRIVATE,
        fleet: Fleet,
        metrics: Metrics,
        preview: str = "auto",
    ) -> None:
        self._catalog = catalog
        self._writer = writer
        self._reader = reader
        self._files = files
        self._events = events
        self._clock = clock
        self._random_seed = random_seed
        self._limits = limits
        self._default_visibility = default_visibility
        self._fleet = fleet
        self._metrics = metrics
        self._preview = preview

    async def submit(self, principal: Principal, asked: Submit) -> Submitted:
        """Write the job. Raises InvalidInput, InvalidFile, UnknownWorkflow, QuotaExceeded, Unavailable …"""
        if principal.user_id is None:
            raise Unauthenticated("Sign in to submit a job.")
        if asked.idempotency_key is None:
            return await self._write(principal, principal.user_id, asked)
        earlier = await self._writer.reserve_key(
            principal.user_id, asked.idempotency_key, asked.fingerprint()
        )
        if earlier:
            return Submitted(earlier, replayed=True)
        try:
            return await self._write(principal, principal.user_id, asked)
        except BaseException:
            await self._writer.settle_key(principal.user_id, asked.idempotency_key, None)
            raise

    async def check_room(self, principal: Principal) -> None:
        """Whether a job would be taken now. Raises Unauthenticated, QuotaExceeded."""
        if principal.user_id is None:
            raise Unauthenticated("Sign in to submit a job.")
        await self._writer.check_room(principal.user_id, self._limits)

    async def _write(self, principal: Principal, user_id: UUID, asked: Submit) -> Submitted:
        workflow = self._catalog.get(asked.workflow_type)
        check_metadata(asked.metadata)
        if asked.parent_id and await self._reader.one(principal, asked.parent_id) is None:
            raise InvalidInput({"parent_id": "is no job of yours; leave it out or name one you can see"})
        graph_name = await self._graph_name(workflow, asked.preview)
        raw = await self._resolved(principal, workflow, asked.inputs)
        inputs = validate_inputs(workflow.manifest, raw, random_seed=self._random_seed, graph_name=graph_name)
        need = await self._fleet.need(workflow, graph_name, inputs)
        if any(file_fields(workflow.manifest, inputs)):
            await self._writer.check_room(user_id, self._limits)  # before a file is stored for it
        job_id = self._clock.uuid7()
        async with self._files.taken(
            workflow, job_id, inputs, book_deletion=self._writer.book_deletion
        ) as placed:
            body = await self._writer.insert(
                NewJob(
                    id=job_id,
                    user_id=user_id,
                    workflow_type=workflow.type,
                    workflow_name=graph_name,
                    workflow_version=workflow.version,
                    inputs=placed.inputs,
                    deletion_booking=placed.booking,
                    prompt_text=prompt_text(workflow.manifest, inputs) or None,
                    requires=need.digest,
                    waiting_reason=await self._fleet.outlook(need.digest),
                    priority=asked.priority,
                    visibility=asked.visibility or self._default_visibility,
                    title=asked.title,
                    tags=asked.tags,
                    deadline_at=self._deadline(asked.deadline_at),
                    metadata=asked.metadata,
                    parent_id=asked.parent_id,
                    user_ip=asked.user_ip,
                    idempotency_key=asked.idempotency_key,
                ),
                self._limits,
            )
        await self._events.notify("jobs")
        self._metrics.submitted(workflow.type)
        log.info(
            "job submitted",
            job_id=str(job_id),
            workflow_type=workflow.type,
            graph=graph_name,
            user_id=str(user_id),
        )
        return Submitted(job_id, body)

    async def preview_default(self) -> bool:
        """Whether a job that doesn't say runs its preview graph: on the demo server, which has no models."""
        if self._preview != "auto":
            return self._preview == "always"
        enabled = [server for server in await self._fleet.servers() if server.enabled]
        return bool(enabled) and all(server.source == "demo" for server in enabled)

    async def _graph_name(self, workflow: Workflow, preview: bool | None) -> str:
        wanted = PREVIEW if (await self.preview_default() if preview is None else preview) else PRODUCTION
        if wanted in workflow.graphs:
            return wanted
        if preview:
            raise InvalidInput({"preview": f"{workflow.type} has no preview graph; leave it out"})
        return next(iter(workflow.graphs))

    def _deadline(self, deadline: datetime | None) -> datetime | None:
        if deadline is None:
            return None
        if deadline.tzinfo is None:
            raise InvalidInput({"deadline": "needs a time zone, such as 2030-01-31T12:00:00Z"})
        if deadline <= self._clock.now():
            raise InvalidInput({"deadline": "is in the past"})
        if deadline - self._clock.now() > LATEST_DEADLINE:
            raise InvalidInput(
                {"deadline": "is more than ten years away; leave it out for a job that may wait"}
            )
        return deadline

    async def _resolved(
        self, principal: Principal, workflow: Workflow, raw: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The inputs with every file reference replaced by what the file really is."""
        resolved: Json = json.loads(json.dumps(raw))  # a copy: the request stays as it came
        faults: dict[str, str] = {}
        for path, _ in file_fields(workflow.manifest, resolved):
            try:
                at_path(resolved, path[:-1])[path[-1]] = await self._files.resolve(
                    principal, at_path(resolved, path)
                )
            except InvalidRequest as error:
                faults[dotted(path)] = error.message
        if faults:
            raise InvalidInput(faults)
        return resolved
