"""A plain client for the suite: one call is one request, and a run keeps all it saw."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from websockets.sync.client import ClientConnection, connect

PATIENCE = 60.0
"""Seconds; a real server on a busy CPU may be slow."""


@dataclass
class Run:
    """One submitted prompt, its events and what was left of it."""

    post: dict[str, Any]
    status_code: int
    events: list[dict[str, Any]] = field(default_factory=list)
    entry: dict[str, Any] | None = None
    job: dict[str, Any] | None = None

    @property
    def prompt_id(self) -> str:
        return str(self.post["prompt_id"])

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event["data"] for event in self.events if event.get("type") == kind]


class Comfy:
    """The server under test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx2.Client(base_url=url, timeout=PATIENCE)
        self.version = str(self.get("/system_stats")["system"]["comfyui_version"])
        self.has_jobs = self.http.get("/api/jobs?limit=1").status_code != 404
        self.classes = set(self.get("/object_info"))

    def get(self, path: str) -> Any:
        answer = self.http.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def post(self, path: str, body: Any = None, raw: bytes | None = None) -> httpx2.Response:
        return self.http.post(path, content=raw if raw is not None else json.dumps(body).encode())

    def upload(self, name: str, content: bytes, **fields: str) -> httpx2.Response:
        return self.http.post("/upload/image", files={"image": (name, content)}, data=fields)

    @contextmanager
    def socket(
        self, client_id: str | None = None, flags: dict[str, Any] | None = None
    ) -> Iterator[ClientConnection]:
        query = "" if client_id is None else f"?clientId={client_id}"
        with connect(self.url.replace("http", "ws", 1) + "/ws" + query, max_size=None) as socket:
            if flags is not None:
                socket.send(json.dumps({"type": "feature_flags", "data": flags}))
            yield socket

    def submit(self, prompt: Any, **more: Any) -> Run:
        answer = self.post("/prompt", {"prompt": prompt, **more})
        return Run(answer.json(), answer.status_code)

    def run(
        self, prompt: Any, *, name: str = "suite", flags: dict[str, Any] | None = None, **more: Any
    ) -> Run:
        """Submit with a socket of our own, read to the end, and fetch the entry."""
        client_id = uuid.uuid4().hex
        with self.socket(
            client_id, {"supports_preview_metadata": True} if flags is None else flags or None
        ) as socket:
            first = parse(socket.recv(PATIENCE))
            extra = {"extra_pnginfo": {"workflow": {"id": f"wf-{name}"}}}
            run = self.submit(prompt, client_id=client_id, extra_data=extra, **more)
            run.events.append(first)
            if run.status_code == 200:
                read_to_end(socket, run)
        if run.status_code == 200:
            run.entry = self.entry(run.prompt_id)
            run.job = self.get(f"/api/jobs/{run.prompt_id}") if self.has_jobs else None
        return run

    def entry(self, prompt_id: str) -> dict[str, Any]:
        """The history entry, waited for."""
        found: dict[str, Any] = wait_for(lambda: self.get(f"/history/{prompt_id}").get(prompt_id))
        return found

    def view(self, item: dict[str, Any]) -> httpx2.Response:
        query = {key: item[key] for key in ("filename", "subfolder", "type")}
        return self.http.get("/view", params=query)

    def running_ids(self) -> list[str]:
        return [item[1] for item in self.get("/queue")["queue_running"]]

    def pending_ids(self) -> list[str]:
        return [item[1] for item in self.get("/queue")["queue_pending"]]


def parse(message: str | bytes) -> dict[str, Any]:
    """An event as recorded: JSON, or a summary of the binary frame."""
    if isinstance(message, str):
        found: dict[str, Any] = json.loads(message)
        return found
    event = int.from_bytes(message[:4])
    if event == 1:
        return {
            "binary": {
                "event": 1,
                "image_type": int.from_bytes(message[4:8]),
                "payload_magic": message[8:12].hex(),
            }
        }
    length = int.from_bytes(message[4:8])
    body = message[8 + length :]
    if event == 3:
        return {"binary": {"event": 3, "node": message[8 : 8 + length].decode(), "text": body.decode()}}
    metadata = json.loads(message[8 : 8 + length])
    return {"binary": {"event": event, "metadata": metadata, "payload_magic": body[:4].hex()}}


def read_to_end(socket: ClientConnection, run: Run) -> None:
    """Read until this prompt's `executing` with node null."""
    while True:
        event = parse(socket.recv(PATIENCE))
        run.events.append(event)
        if event.get("type") == "executing" and event["data"] == {"node": None, "prompt_id": run.prompt_id}:
            return


def wait_for(look: Any, patience: float = PATIENCE) -> Any:
    """What `look` returns, as soon as it is true."""
    end = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
    return found
