"""The life of a prompt on a server: submit, find, cancel."""

import json
import re
from typing import Any

from rushes.adapters.comfyui.graph_shape import check_shape
from rushes.adapters.comfyui.rejections import rejection
from rushes.adapters.comfyui.unreachable import MEANT
from rushes.adapters.comfyui.wire import JSON_BODY, Answer, Wire
from rushes.domain.comfy import ComfyError, ComfyUnreachable, PromptRejected
from rushes.domain.job import JobErrorCode
from rushes.ports import Json, PromptState

INTERRUPT_BY_ID = (0, 3, 56)
UNKNOWN = PromptState(where="unknown")


class Prompts:
    """The prompts of one server, by the routes that its generation has."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._version: str | None = None
        self._has_jobs: bool | None = None  # GET /api/jobs/{id}, since 0.5.1
        self._has_cancel: bool | None = None  # POST /api/jobs/{id}/cancel, since 0.25.0

    def served_by(self, version: str) -> None:
        """Note the version; another one than before may have other routes."""
        if version != self._version:
            self._version, self._has_jobs, self._has_cancel = version, None, None

    # --- submit ---------------------------------------------------------------------------------

    async def submit(self, prompt_id: str, graph: Json, *, client_id: str) -> None:
        """Queue a graph. Raises PromptRejected, ComfyUnreachable."""
        check_shape(graph)
        answer = await self._wire.ask(
            "POST", "/prompt", body=_body(prompt_id, graph, client_id), headers=JSON_BODY
        )
        if answer.status == 200:
            return await self._accepted(prompt_id, graph, answer)
        if answer.status == 413:
            raise PromptRejected(JobErrorCode.INVALID_WORKFLOW, "The graph is larger than ComfyUI accepts.")
        said = answer.mapping() if answer.status == 400 else {}
        if "error" not in said and "node_errors" not in said:
            raise ComfyUnreachable(
                f"{answer.url} answered {answer.status} to a graph, as no ComfyUI does. Is another program there?"
            )
        raise rejection(graph, said)

    async def _accepted(self, prompt_id: str, graph: Json, answer: Answer) -> None:
        said = answer.mapping()
        if said.get("prompt_id") != prompt_id:
            await self._withdraw(str(said.get("prompt_id") or ""))
            raise ComfyUnreachable(
                f"{answer.url} doesn't keep our prompt id. Is it a ComfyUI older than 0.3.56?"
            )
        if said.get("node_errors"):  # it dropped the outputs that it can't make and runs the rest
            await self._withdraw(prompt_id)
            raise rejection(graph, said)

    async def _withdraw(self, prompt_id: str) -> None:
        try:
            if prompt_id:
                await self.cancel(prompt_id)
        except ComfyError:
            pass  # the graph is refused all the same; what runs of it is waste, not harm

    # --- find -----------------------------------------------------------------------------------

    async def find(self, prompt_id: str, *, ended: bool = False) -> PromptState:
        """Where the prompt is. Prompts only move from the queue to the history, so this order has no gap."""
        if ended and (said := await self._ask_history(prompt_id)).where == "finished":
            return said
        state = await self._ask_jobs(prompt_id) if self._has_jobs is not False else None
        if state is None:
            state = await self._ask_queue(prompt_id)
        if state is None or state.where == "finished":
            return await self._ask_history(prompt_id)
        return state

    async def _ask_jobs(self, prompt_id: str) -> PromptState | None:
        """One small answer instead of the whole queue with its graphs; None where the server can't say."""
        answer = await self._wire.ask("GET", f"/api/jobs/{prompt_id}", meant=MEANT | {500})
        if answer.status == 500:
            return None  # it can trip over an odd entry; queue and history don't
        said = _mapping(answer)
        if answer.status == 200 and isinstance(said.get("status"), str):
            self._has_jobs = True
            where = {"pending": "pending", "in_progress": "running"}.get(said["status"], "finished")
            return PromptState(where=where)
        if answer.status == 404 and said.get("error") == "Job not found":
            self._has_jobs = True
            return UNKNOWN
        self._has_jobs = False
        return None

    async def _ask_queue(self, prompt_id: str) -> PromptState | None:
        answer = (await self._wire.ask("GET", "/queue")).ok("/queue")
        if prompt_id.encode() not in answer.body:
            return None  # saves parsing megabytes of other people's graphs
        queue = answer.mapping()
        if _place(queue.get("queue_running"), prompt_id) is not None:
            return PromptState(where="running")
        place = _place(queue.get("queue_pending"), prompt_id)
        return None if place is None else PromptState(where="pending", position=place)

    async def _ask_history(self, prompt_id: str) -> PromptState:
        entry = (await self._wire.get(f"/history/{prompt_id}")).get(prompt_id)
        return PromptState(where="finished", history=entry) if isinstance(entry, dict) else UNKNOWN

    # --- cancel ---------------------------------------------------------------------------------

    async def cancel(self, prompt_id: str) -> None:
        """Cancel that prompt and no other. Where the server can't interrupt by id, a running one runs on."""
        if self._has_cancel is not False and await self._cancel_job(prompt_id):
            return
        await self._wire.post("/queue", {"delete": [prompt_id]})
        state = await self._ask_queue(prompt_id)
        if state and state.where == "running" and await self._interrupts_by_id():
            await self._wire.post("/interrupt", {"prompt_id": prompt_id})

    async def _cancel_job(self, prompt_id: str) -> bool:
        answer = await self._wire.ask("POST", f"/api/jobs/{prompt_id}/cancel", body=b"")
        self._has_cancel = answer.status == 200 and "cancelled" in _mapping(answer)
        return self._has_cancel

    async def _interrupts_by_id(self) -> bool:
        """Older servers ignore the id and would stop whoever runs."""
        if self._version is None:
            system = (await self._wire.get("/system_stats")).get("system")
            self._version = str(system.get("comfyui_version")) if isinstance(system, dict) else "unknown"
        numbers = tuple(int(number) for number in re.findall(r"\d+", self._version)[:3])
        return numbers >= INTERRUPT_BY_ID


def _body(prompt_id: str, graph: Json, client_id: str) -> bytes:
    """The request, made by us alone: some values of these fields kill a server's worker for good."""
    request = {"prompt": graph, "client_id": str(client_id), "prompt_id": str(prompt_id), "extra_data": {}}
    try:
        return json.dumps(request, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise PromptRejected(
            JobErrorCode.INVALID_WORKFLOW, f"The graph can't be written as JSON: {error}."
        ) from error


def _mapping(answer: Answer) -> dict[str, Any]:
    try:
        return answer.mapping()
    except ComfyUnreachable:
        return {}


def _place(items: Any, prompt_id: str) -> int | None:
    """How many prompts of the list come before that one; it is a heap, so by number."""
    entries = (
        [item for item in items if isinstance(item, list) and len(item) > 1]
        if isinstance(items, list)
        else []
    )
    number = next((item[0] for item in entries if item[1] == prompt_id), None)
    if number is None:
        return None
    return sum(1 for item in entries if isinstance(item[0], int | float) and item[0] < number)
