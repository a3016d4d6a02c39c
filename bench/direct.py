"""The least that a client of ComfyUI can do: post graphs, follow the websocket, download what was made."""

import json
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from websockets.sync.client import connect as connect_websocket

from bench.graphs import Graph
from bench.places import connect

STARTED, SUCCEEDED = "execution_start", "execution_success"


@dataclass
class Run:
    """What came of posting some graphs, in seconds and in the server's own milliseconds."""

    makespan: float = 0.0
    posting: float = 0.0
    prompts: list[str] = field(default_factory=list)


def run(url: str, graphs: list[Graph], folder: Path) -> Run:
    """Post all, follow, download each as soon as it is there; until the last file is on disk."""
    client_id = uuid4().hex
    ended: SimpleQueue[str] = SimpleQueue()
    made = Run()
    socket = f"ws://{urlsplit(url).netloc}/ws?clientId={client_id}"
    with connect_websocket(socket, max_size=None, compression=None) as stream:
        downloads = threading.Thread(target=_download, args=(url, ended, len(graphs), folder))
        listener = threading.Thread(target=_listen, args=(stream, ended, len(graphs)))
        downloads.start()
        listener.start()
        began = time.perf_counter()
        made.prompts = post(url, graphs, client_id)
        made.posting = time.perf_counter() - began
        downloads.join()
        made.makespan = time.perf_counter() - began
        listener.join()
    return made


def post(url: str, graphs: list[Graph], client_id: str) -> list[str]:
    """Queue graphs, one after the other over one connection; their prompt ids."""
    connection = connect(url)
    prompts = []
    for graph in graphs:
        said = ask(connection, "POST", "/prompt", {"prompt": graph, "client_id": client_id})
        prompts.append(said["prompt_id"])
    connection.close()
    return prompts


def ask(
    connection: Any, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> Any:
    """A request with JSON, answered by JSON."""
    sent = {"Content-Type": "application/json"} | (headers or {})
    connection.request(method, path, json.dumps(body) if body is not None else None, sent)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 400:
        raise SystemExit(f"{method} {path}: {answer.status} {text[:500]!r}")
    return json.loads(text)


def moments(url: str, prompts: list[str]) -> list[tuple[float, float]]:
    """When each prompt began and succeeded, by the server's clock in seconds, in the order in which they ran."""
    connection = connect(url)
    found = []
    for prompt in prompts:
        entry = ask(connection, "GET", f"/history/{prompt}")[prompt]
        told = {name: data["timestamp"] / 1000 for name, data in entry["status"]["messages"]}
        found.append((told[STARTED], told[SUCCEEDED]))
    connection.close()
    return sorted(found)


def gaps(ran: list[tuple[float, float]]) -> list[float]:
    """Seconds in which the server had nothing to run between two prompts."""
    return [later[0] - earlier[1] for earlier, later in pairwise(ran)]


def _listen(stream: Any, ended: "SimpleQueue[str]", count: int) -> None:
    while count:
        frame = stream.recv()
        if isinstance(frame, bytes):
            continue
        message = json.loads(frame)
        if message["type"] == SUCCEEDED:
            ended.put(message["data"]["prompt_id"])
            count -= 1


def _download(url: str, ended: "SimpleQueue[str]", count: int, folder: Path) -> None:
    connection = connect(url)
    for _ in range(count):
        prompt = ended.get()
        while not (entry := ask(connection, "GET", f"/history/{prompt}").get(prompt)):
            time.sleep(0.002)  # it comes a moment after the message
        for output in entry["outputs"].values():
            for file in output.get("images", []):
                connection.request("GET", "/view?" + urlencode(file))
                (folder / f"{prompt}-{file['filename']}").write_bytes(connection.getresponse().read())
    connection.close()
