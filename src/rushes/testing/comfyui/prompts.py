"""Routes around the queue: /prompt, /queue, /interrupt, /history, /free."""

import json
import uuid
from collections.abc import Awaitable, Callable
from time import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.testing.comfyui.answers import Json, empty
from rushes.testing.comfyui.instance import Instance
from rushes.testing.comfyui.problems import problem
from rushes.testing.comfyui.queue import Item
from rushes.testing.comfyui.validation import Validation

Endpoint = Callable[[Request], Awaitable[Response]]


_ID_RULE = (
    "prompt_id must be a UUID string in canonical lowercase hyphenated form;"
    " omit it to let the server generate one"
)


class TwinNumber(Exception):
    """Id and number equal a pending prompt's; ComfyUI answers 500 and runs it all the same."""


class PromptRoutes:
    """Submitting, looking and cancelling, on one instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def submit(self, request: Request) -> Response:
        """POST /prompt. Whatever raises here is a 500, as in the real server."""
        body = json.loads((await request.body()).decode())
        number = self._number(body)
        if not isinstance(body, dict) or "prompt" not in body:
            return _refused(problem("no_prompt", "No prompt provided", "No prompt provided"))
        prompt_id = self._prompt_id(body)
        if prompt_id is None:
            return _refused(problem("invalid_prompt_id", "prompt_id must be a valid UUID", _ID_RULE))
        prompt = self._graph(body["prompt"])
        checked = Validation(
            prompt, self._instance.catalogue, self._instance.generation, self._instance.folders
        ).verdict(body.get("partial_execution_targets"))
        if checked.error is not None:
            return _refused(checked.error, checked.node_errors)
        item = Item(number, prompt_id, prompt, self._extra_data(body), checked.outputs)
        if not self._instance.queue.put(item):
            raise TwinNumber
        return Json({"prompt_id": prompt_id, "number": number, "node_errors": checked.node_errors})

    def _number(self, body: Any) -> float:
        if isinstance(body, dict) and "number" in body:
            return float(body["number"])
        number = self._instance.queue.next_number()
        return -number if isinstance(body, dict) and body.get("front") else number

    def _prompt_id(self, body: dict[str, Any]) -> str | None:
        if not self._instance.generation.uuid_prompt_ids:
            return str(body.get("prompt_id", uuid.uuid4()))
        given = body.get("prompt_id")
        if given is None:
            return str(uuid.uuid4())
        return given if _is_canonical(given) else None

    def _graph(self, given: Any) -> dict[str, Any]:
        if given == [] and not self._instance.generation.names_missing_nodes:
            return {}
        if not isinstance(given, dict):
            raise TypeError("the prompt is no object")
        return given

    def _extra_data(self, body: dict[str, Any]) -> dict[str, Any]:
        extra = body.get("extra_data", {})
        if not isinstance(extra, dict):
            raise TypeError("extra_data is no object")
        if "client_id" in body:
            extra["client_id"] = body["client_id"]
        if self._instance.generation.create_time:
            extra["create_time"] = int(time() * 1000)
        return extra

    async def remaining(self, _: Request) -> Response:
        """GET /prompt."""
        return Json({"exec_info": {"queue_remaining": self._instance.queue.remaining()}})

    async def queue(self, _: Request) -> Response:
        """GET /queue."""
        running, pending = self._instance.queue.snapshot()
        listed = {"queue_running": running, "queue_pending": pending}
        return Json({name: [item.listed() for item in items] for name, items in listed.items()})

    async def change_queue(self, request: Request) -> Response:
        """POST /queue: clear, delete."""
        body = await request.json()
        if body.get("clear"):
            self._instance.queue.clear()
        for prompt_id in body.get("delete", []):
            self._instance.queue.delete(prompt_id)
        return empty()

    async def interrupt(self, request: Request) -> Response:
        """POST /interrupt, with or without a prompt_id."""
        try:
            body = await request.json()
        except ValueError:
            body = {}
        prompt_id = body.get("prompt_id") if isinstance(body, dict) else None
        self._instance.interrupt(prompt_id or None)
        return empty()

    async def free(self, request: Request) -> Response:
        """POST /free: forgets results."""
        body = await request.json()
        if body.get("free_memory") or body.get("unload_models"):
            self._instance.results.clear()
        return empty()

    async def history(self, request: Request) -> Response:
        """GET /history; a number that is none raises, hence a 500."""
        query = request.query_params
        max_items = int(query["max_items"]) if "max_items" in query else None
        return Json(self._instance.history.page(max_items, int(query.get("offset", "-1"))))

    async def one_history(self, request: Request) -> Response:
        """GET /history/{id}."""
        return Json(self._instance.history.one(request.path_params["prompt_id"]))

    async def change_history(self, request: Request) -> Response:
        """POST /history: clear, delete."""
        body = await request.json()
        if body.get("clear"):
            self._instance.history.clear()
        for prompt_id in body.get("delete", []):
            self._instance.history.delete(prompt_id)
        return empty()


def _refused(error: dict[str, Any], node_errors: dict[str, Any] | None = None) -> Response:
    return Json({"error": error, "node_errors": node_errors or {}}, 400)


def _is_canonical(given: Any) -> bool:
    try:
        return isinstance(given, str) and str(uuid.UUID(given)) == given
    except ValueError:
        return False
