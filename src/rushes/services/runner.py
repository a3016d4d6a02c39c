"""One attempt of one job on one ComfyUI server, from its inputs to a finished row."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import structlog

from rushes.domain.comfy import ComfyError, ComfyFileMissing, ComfyUnreachable, PromptRejected
from rushes.domain.errors import InvalidWorkflow, RushesError, StorageFull, Unavailable, UnknownWorkflow
from rushes.domain.graph import bind
from rushes.domain.history import Ending, Outcome, outcome, seconds_run
from rushes.domain.job import JobErrorCode
from rushes.domain.progress import Progress, ProgressTracker
from rushes.domain.results import Results, name_results
from rushes.domain.workflow import Workflow
from rushes.ports import (
    Claim,
    Clock,
    ComfyServer,
    ComfyServers,
    DispatchQueue,
    Json,
    WorkflowCatalog,
)
from rushes.services.collect import Collector, NoOutput, result_keys
from rushes.services.follow import Follower, PromptLost
from rushes.services.hold import CancelRequested, DeadlinePassed, Hold, LeaseLost, Stopping
from rushes.services.inputs import InputSender
from rushes.services.insist import insist
from rushes.services.prompt_events import PromptEvents
from rushes.services.report import ProgressReport
from rushes.services.server_health import ServerHealth
from rushes.services.settle import FIRST_RETRY, Settler
from rushes.services.stillness import STALL_SECONDS, Pulse, StandsStill, Stillness

log = structlog.get_logger("rushes.runner")

# A POST whose answer was lost may still be on its way: how long to wait before each look for its prompt, seconds.
LOOKS = (0.0, 0.3, 1.0, 2.0)
LOST_RETRY = 0.2  # seconds: a server that was restarted is well again
WITHDRAW_SECONDS = 5.0
TURN_SECONDS = 1.0  # how long a prompt waits for the one that was claimed before it


class InputsUnreadable(Exception):
    """The storage doesn't give the inputs out now."""


class Runner:
    """Drives claims; every way an attempt can end is told apart here and nowhere else."""

    def __init__(
        self,
        *,
        queue: DispatchQueue,
        comfy: ComfyServers,
        catalog: WorkflowCatalog,
        sender: InputSender,
        collector: Collector,
        settler: Settler,
        health: ServerHealth,
        report: Callable[[Claim], ProgressReport],
        clock: Clock,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._queue = queue
        self._comfy = comfy
        self._catalog = catalog
        self._sender = sender
        self._collector = collector
        self._settle = settler
        self._health = health
        self._report = report
        self._clock = clock
        self._stall_seconds = stall_seconds
        self._pulses: defaultdict[UUID, Pulse] = defaultdict(Pulse)

    async def run(self, hold: Hold, executed: Callable[[], None]) -> None:
        """Work on a claim until its row says how it ended; `executed` is called when the GPU is free again."""
        claim = hold.claim
        server = self._comfy.at(claim.server_url)
        try:
            await self._attempt(hold, server, executed)
        except LeaseLost:
            log.info("lease lost", job_id=str(claim.job_id), attempt=claim.attempt)
            await self._abandon(claim)
        except Stopping:
            await self._settle.released(claim)
        except CancelRequested:  # where nothing of it is on the server: before it was sent, or after it ended
            await self._settle.cancelled(claim)
        except DeadlinePassed:
            await self._withdraw(claim.server_url, claim.prompt_id)
            await self._settle.failed(
                claim, JobErrorCode.TIMEOUT, "It ran past its deadline. Run it again with a later deadline."
            )
        except PromptRejected as error:
            await self._settle.failed(claim, error.code, error.message, error.details)
        except (UnknownWorkflow, InvalidWorkflow) as error:
            await self._settle.failed(claim, JobErrorCode.INVALID_WORKFLOW, error.message, error.details)
        except NoOutput as error:
            await self._settle.failed(claim, JobErrorCode.NO_OUTPUT, str(error))
        except (PromptLost, ComfyUnreachable, ComfyFileMissing, StandsStill) as error:
            await self._lost(hold, error)
        except InputsUnreadable as error:
            await self._settle.again(claim, JobErrorCode.UPLOAD_FAILED, str(error))
        except Unavailable as error:
            full = isinstance(error, StorageFull)
            code = JobErrorCode.STORAGE_FULL if full else JobErrorCode.UPLOAD_FAILED
            await self._settle.failed(claim, code, error.message)
        except RushesError as error:
            await self._settle.failed(claim, JobErrorCode.MISSING_INPUT, error.message, error.details)
        except Exception as error:
            log.exception("attempt broke", job_id=str(claim.job_id))
            await self._broke(hold, error)

    async def _broke(self, hold: Hold, error: Exception) -> None:
        if hold.stopping:  # what breaks while everything is being closed is no fault of the job
            await self._settle.released(hold.claim)
            return
        words = f"Rushes itself failed ({type(error).__name__}); its log says where. Run the job again."
        await self._settle.failed(hold.claim, JobErrorCode.INTERNAL, words)

    async def _attempt(self, hold: Hold, server: ComfyServer, executed: Callable[[], None]) -> None:
        claim = hold.claim
        if hold.cancel_requested and not claim.graph_sent:
            await self._settle.cancelled(claim)
            return
        workflow = self._catalog.get(claim.workflow_type)
        async with (
            self._report(claim) as report,
            PromptEvents(server, claim.prompt_id, client_id=claim.client_id) as stream,
        ):
            graph = await self._send(hold, server, workflow, stream.client_id, report)
            follower = Follower(
                server=server,
                hold=hold,
                stream=stream,
                tracker=ProgressTracker(graph),
                report=report,
                clock=self._clock,
                stillness=Stillness(pulse=self._pulses[claim.server_id], stall_seconds=self._stall_seconds),
            )
            entry = await follower.to_the_end(just_sent=not claim.graph_sent)
            ran_seconds = seconds_run(entry) if entry else None
            made = self._made(hold, workflow, entry)
            keys = result_keys(claim, made) if made else []
            is_ours = await insist(lambda: self._queue.executed(claim, ran_seconds=ran_seconds, keys=keys))
            executed()  # after the row: the lane looks at once, and must find the place free
            if not is_ours:
                raise LeaseLost
            # within the block: the result doesn't wait for a socket's end
            await self._finish(hold, server, entry, made, report)

    async def _send(
        self,
        hold: Hold,
        server: ComfyServer,
        workflow: Workflow,
        client_id: str,
        report: ProgressReport,
    ) -> Json:
        """Make sure that the server has the prompt; the graph it was given."""
        claim = hold.claim
        if claim.graph_sent:
            hold.sent()
            return workflow.graph(claim.workflow_name)
        await self._withdraw_earlier(claim)
        await report(Progress(stage="uploading"))
        try:
            files = await self._sender.send(hold, server)
        except Unavailable as error:
            raise InputsUnreadable(error.message) from error
        hold.check(self._clock.now())
        graph = bind(workflow, claim.workflow_name, claim.inputs, files=files, job_id=f"{claim.job_id}")
        if not await insist(
            lambda: self._queue.store_graph(claim, graph, workflow.version, client_id=client_id)
        ):
            raise LeaseLost
        await hold.turn(TURN_SECONDS)
        try:
            await server.submit(claim.prompt_id, graph, client_id=client_id)
        except ComfyUnreachable:
            if not await _has_arrived(server, claim.prompt_id):
                raise
        hold.sent()
        if not await insist(lambda: self._queue.submitted(claim)):
            raise LeaseLost
        return graph

    async def _withdraw_earlier(self, claim: Claim) -> None:
        """An attempt that was given up may have arrived, or run on, after all: its work is of no use any more."""
        await asyncio.gather(*(self._withdraw(each["url"], each["prompt_id"]) for each in claim.earlier))

    async def _withdraw(self, url: str, prompt_id: str) -> None:
        try:
            async with asyncio.timeout(WITHDRAW_SECONDS):
                await self._comfy.at(url).cancel(prompt_id)
        except (ComfyError, TimeoutError):
            log.warning("could not cancel on the server", server=url, prompt_id=prompt_id)

    async def _abandon(self, claim: Claim) -> None:
        """Somebody else has the job, or it has ended: leave nothing behind that nobody wants."""
        try:
            is_over = await self._queue.abandoned(claim)
        except Unavailable:
            return
        if is_over:
            await self._withdraw(claim.server_url, claim.prompt_id)

    async def _lost(self, hold: Hold, error: Exception) -> None:
        claim, words = hold.claim, _lost_words(hold.claim, error)
        if isinstance(error, StandsStill):
            await self._withdraw(claim.server_url, claim.prompt_id)
            await insist(lambda: self._health.stands_still(claim.server_id, claim.prompt_id, words))
        else:
            await insist(lambda: self._health.doubt(claim.server_id, words))
        if hold.cancel_requested:
            await self._settle.cancelled(claim)
            return
        first_retry = LOST_RETRY if isinstance(error, PromptLost) else FIRST_RETRY
        await self._settle.again(
            claim, JobErrorCode.SERVER_LOST, words, first_retry=first_retry, innocent=hold.only_waited
        )

    def _made(self, hold: Hold, workflow: Workflow, entry: Json | None) -> Results | None:
        """What is to be stored; None when that is nothing."""
        if hold.cancel_requested or entry is None or outcome(entry).ending is not Ending.SUCCESS:
            return None
        claim = hold.claim
        return name_results(workflow, claim.workflow_name, entry, attempt=claim.attempt)

    async def _finish(
        self,
        hold: Hold,
        server: ComfyServer,
        entry: Json | None,
        made: Results | None,
        report: ProgressReport,
    ) -> None:
        claim = hold.claim
        if hold.cancel_requested or entry is None:
            await self._settle.cancelled(claim)
            return
        if made is not None:
            await report(Progress(stage="collecting", percent=99))
            result = await self._collector.collect(hold, server, made)
            if not await self._settle.completed(claim, result):
                raise LeaseLost
            self._collector.derive_later(claim, result)
            return
        await self._ended_badly(claim, server, outcome(entry))

    async def _ended_badly(self, claim: Claim, server: ComfyServer, ended: Outcome) -> None:
        code = ended.code or JobErrorCode.NODE_ERROR
        is_first = not any(each["error_code"] == code for each in claim.earlier)
        if code is JobErrorCode.OUT_OF_MEMORY and is_first and claim.attempt < claim.max_attempts:
            with suppress(ComfyUnreachable):
                await server.free()
            await self._settle.again(claim, code, ended.message)
            return
        await self._settle.failed(claim, code, ended.message, ended.details)


async def _has_arrived(server: ComfyServer, prompt_id: str) -> bool:
    """Whether a prompt is there whose POST had no answer."""
    for pause in LOOKS:
        await asyncio.sleep(pause)
        try:
            if (await server.find(prompt_id)).where != "unknown":
                return True
        except ComfyUnreachable:
            continue
    return False


def _lost_words(claim: Claim, error: Exception) -> str:
    if isinstance(error, PromptLost):
        return f"{claim.server_url} no longer knows the prompt: it was restarted while the job ran."
    if isinstance(error, StandsStill):
        return f"{claim.server_url} answers, but {error}: restart that ComfyUI."
    return str(error)
