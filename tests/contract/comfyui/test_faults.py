"""What the demo server does wrong on demand. A real server can't be told to, so there is nothing to compare."""

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from rushes.testing.comfyui import DemoServer
from tests.contract.comfyui.api import Comfy, parse, wait_for
from tests.contract.comfyui.cases import empty, node, save
from tests.contract.comfyui.conftest import REAL
from tests.contract.comfyui.test_queue import last_message, quick

pytestmark = pytest.mark.skipif(bool(REAL), reason="a real server can't be told to misbehave")


@pytest.fixture(scope="module")
def running() -> Iterator[DemoServer]:
    with DemoServer(extra_nodes=True, faults_route=True, max_upload_size=20_000) as server:
        yield server


@pytest.fixture
def server(running: DemoServer) -> Iterator[DemoServer]:
    yield running
    running.faults.clear()
    if not running.is_running:
        running.start()


@pytest.fixture
def demo(server: DemoServer) -> Iterator[Comfy]:
    found = Comfy(server.url)
    yield found
    found.http.close()


def asleep(seconds: float = 30.0) -> dict:
    return {"1": node("RushesDemoSleep", seconds=seconds, steps=100), "2": save()}


def test_answers_come_late(server: DemoServer, demo: Comfy) -> None:
    server.faults.add("delay", route="/queue", seconds=0.2, times=1)
    start = time.monotonic()
    demo.get("/queue")
    assert time.monotonic() - start >= 0.2
    demo.get("/queue")
    assert server.faults.listed() == []


def test_connections_are_dropped_so_many_times(server: DemoServer, demo: Comfy) -> None:
    server.faults.add("drop", route="/history/*", times=2)
    for _ in range(2):
        with pytest.raises(httpx2.TransportError):
            demo.http.get("/history/x")
    assert demo.get("/history/x") == {}


def test_a_status_instead_of_an_answer(server: DemoServer, demo: Comfy) -> None:
    server.faults.add("status", route="/prompt", method="POST", status=503, body="busy", times=1)
    refused = demo.post("/prompt", {"prompt": quick()})
    assert (refused.status_code, refused.text) == (503, "busy")
    assert demo.submit(quick()).status_code == 200


def test_html_instead_of_json(server: DemoServer, demo: Comfy) -> None:
    server.faults.add("html", route="/system_stats", times=1)
    answer = demo.http.get("/system_stats")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/html")


def test_a_prompt_is_accepted_but_its_answer_lost(server: DemoServer, demo: Comfy) -> None:
    server.faults.add("lose_answer", route="/prompt", method="POST", times=1)
    prompt_id = str(uuid.uuid4())
    with pytest.raises(httpx2.TransportError):
        demo.submit(quick(), prompt_id=prompt_id)
    assert demo.entry(prompt_id)["status"]["completed"]


@pytest.mark.parametrize("kind", ["truncate", "lie_length"])
def test_a_file_ends_too_early(server: DemoServer, demo: Comfy, kind: str) -> None:
    demo.upload("long.bin", b"x" * 9000)
    server.faults.add(kind, route="/view", bytes=1000, times=1)
    got = bytearray()
    promised = []

    def download() -> None:
        with demo.http.stream("GET", "/view", params={"filename": "long.bin", "type": "input"}) as answer:
            promised.append(int(answer.headers["content-length"]))
            for piece in answer.iter_bytes():
                got.extend(piece)

    with pytest.raises(httpx2.TransportError):
        download()
    assert len(got) == {"truncate": 1000, "lie_length": 9000}[kind]
    assert promised == [{"truncate": 9000, "lie_length": 10000}[kind]]
    assert len(demo.http.get("/view", params={"filename": "long.bin", "type": "input"}).content) == 9000


def test_a_file_drips(server: DemoServer, demo: Comfy) -> None:
    demo.upload("drip.bin", b"x" * 3000)
    server.faults.add("slow_body", route="/view", bytes_per_second=10_000)
    start = time.monotonic()
    answer = demo.http.get("/view", params={"filename": "drip.bin", "type": "input"})
    assert (len(answer.content), time.monotonic() - start >= 0.25) == (3000, True)


def test_the_worker_freezes_and_thaws(server: DemoServer, demo: Comfy) -> None:
    server.faults.add("freeze_worker")
    run = demo.submit(quick())
    wait_for(lambda: run.prompt_id in demo.running_ids())
    assert demo.get(f"/history/{run.prompt_id}") == {}
    server.faults.clear("freeze_worker")
    assert demo.entry(run.prompt_id)["status"]["completed"]


def test_websockets_freeze_while_the_work_goes_on(server: DemoServer, demo: Comfy) -> None:
    with demo.socket("frozen") as socket:
        socket.recv(5)
        server.faults.add("freeze_websocket")
        run = demo.submit(quick(), client_id="frozen")
        demo.entry(run.prompt_id)
        with pytest.raises(TimeoutError):
            socket.recv(0.1)
        server.faults.clear()
        assert parse(socket.recv(5))["type"] == "status"


def test_websockets_are_cut(server: DemoServer, demo: Comfy) -> None:
    with demo.socket("cut") as socket:
        socket.recv(5)
        server.faults.add("close_websocket", times=1)
        with pytest.raises(ConnectionClosed):
            socket.recv(5)
    assert demo.get("/prompt")["exec_info"]


def test_memory_runs_out_once(server: DemoServer, demo: Comfy) -> None:
    server.faults.add("out_of_memory", node="EmptyImage", times=1)
    data = demo.entry(demo.submit(quick()).prompt_id)["status"]["messages"][-1][1]
    assert data["exception_type"] == "torch.OutOfMemoryError"
    assert "out of memory" in data["exception_message"]
    assert demo.entry(demo.submit(quick()).prompt_id)["status"]["completed"]


def test_a_node_fails_in_words(server: DemoServer, demo: Comfy) -> None:
    server.faults.add("fail_at_node", node="SaveImage", message="disk full", times=1)
    data = demo.entry(demo.submit(quick()).prompt_id)["status"]["messages"][-1][1]
    assert (data["exception_message"], data["node_type"]) == ("disk full\n", "SaveImage")


def test_history_comes_late(server: DemoServer, demo: Comfy) -> None:
    server.faults.add("late_history", seconds=0.3, times=1)
    client_id = uuid.uuid4().hex
    with demo.socket(client_id) as socket:
        run = demo.submit(quick(), client_id=client_id)
        while parse(socket.recv(5)).get("type") != "execution_success":
            pass
        assert demo.get(f"/history/{run.prompt_id}") == {}
    assert demo.entry(run.prompt_id)["status"]["completed"]


def read_on(socket: ClientConnection) -> None:
    """What was on its way comes first."""
    while True:
        socket.recv(5)


def test_a_restart_loses_queue_and_history_and_keeps_files(server: DemoServer, demo: Comfy) -> None:
    done = demo.entry(demo.submit(quick()).prompt_id)
    item = done["outputs"]["2"]["images"][0]
    shown = demo.entry(demo.submit({"1": empty(), "2": node("PreviewImage", images=["1", 0])}).prompt_id)
    running_id = demo.submit(asleep()).prompt_id
    pending_id = demo.submit(quick()).prompt_id
    with demo.socket("witness") as socket:
        socket.recv(5)
        server.restart()
        with pytest.raises(ConnectionClosed):
            read_on(socket)
    demo.http.close()
    again = Comfy(server.url)
    assert [again.get(f"/history/{each}") for each in (done["prompt"][1], running_id, pending_id)] == [
        {},
        {},
        {},
    ]
    assert again.get("/queue") == {"queue_running": [], "queue_pending": []}
    assert again.view(item).status_code == 200
    assert again.view(shown["outputs"]["2"]["images"][0]).status_code == 404
    after = again.submit(quick())
    assert after.post["number"] == 0
    number = again.entry(after.prompt_id)["outputs"]["2"]["images"][0]["filename"]
    assert number > item["filename"]
    again.http.close()


def test_dying_at_a_node(server: DemoServer, demo: Comfy) -> None:
    server.faults.add("exit_at_node", node="RushesDemoSleep", times=1)
    demo.submit(asleep())
    wait_for(lambda: not server.is_running)
    with pytest.raises(httpx2.TransportError):
        demo.get("/prompt")


def test_stopping_in_the_middle_of_a_prompt_is_quick(server: DemoServer, demo: Comfy) -> None:
    run = demo.submit(asleep())
    wait_for(lambda: run.prompt_id in demo.running_ids())
    before, start = set(threading.enumerate()), time.monotonic()
    server.stop()
    assert time.monotonic() - start < 1
    assert len(before - set(threading.enumerate())) >= 2  # the server's thread and its worker's


def test_sleeping_is_interruptible(demo: Comfy) -> None:
    run = demo.submit(asleep())
    wait_for(lambda: run.prompt_id in demo.running_ids())
    demo.post("/interrupt", {"prompt_id": run.prompt_id})
    assert last_message(demo, run.prompt_id) == "execution_interrupted"


def test_faults_over_http(server: DemoServer, demo: Comfy) -> None:
    made = demo.post("/_demo/faults", {"kind": "status", "route": "/queue", "status": 502})
    assert (made.status_code, made.json()["faults"][0]["status"]) == (200, 502)
    assert demo.http.get("/api/queue").status_code == 502
    assert demo.post("/_demo/faults", {"kind": "nonsense"}).status_code == 400
    wrong = demo.post("/_demo/faults", {"kind": "delay", "secs": 1})
    assert "unknown option 'secs'" in wrong.json()["error"]
    assert demo.http.delete("/_demo/faults").json() == {"faults": []}
    assert demo.http.get("/api/queue").status_code == 200


def test_faults_are_mounted_only_when_asked_for(comfy: Comfy) -> None:
    assert comfy.http.get("/_demo/faults").status_code == 404


def test_too_large_a_body(demo: Comfy) -> None:
    refused = demo.upload("big.bin", b"x" * 30_000)
    assert (refused.status_code, refused.text) == (413, "Maximum request body size 20000 exceeded.")
    assert demo.get("/features")["max_upload_size"] == 20_000


def test_odd_things_in_a_nodes_ui_pass_through(demo: Comfy) -> None:
    shown = '{"text": ["a\\u0000b \\ud800"], "score": [NaN], "nested": [{"a": [1]}]}'
    run = demo.submit({"1": node("RushesDemoShow", ui_json=shown)})
    wait_for(lambda: run.prompt_id in demo.http.get(f"/history/{run.prompt_id}").text)
    raw = demo.http.get(f"/history/{run.prompt_id}").text
    assert '"score": [NaN]' in raw
    assert "a\\u0000b \\ud800" in raw


def test_one_null_workflow_breaks_the_whole_listing(demo: Comfy) -> None:
    run = demo.submit(quick(), extra_data={"extra_pnginfo": None})
    demo.entry(run.prompt_id)
    assert demo.http.get("/api/jobs").status_code == 500
    demo.post("/history", {"delete": [run.prompt_id]})
    assert demo.http.get("/api/jobs").status_code == 200


def test_the_process_dies_at_a_node(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "rushes.testing.comfyui",
        "--port",
        "0",
        "--base-directory",
        str(tmp_path),
    ]
    with subprocess.Popen(
        [*command, "--extra-nodes", "--faults"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        demo = Comfy(process.stdout.readline().split()[-1])
        demo.post("/_demo/faults", {"kind": "exit_at_node", "node": "RushesDemoSleep"})
        with suppress(httpx2.TransportError):  # it may die before it answers
            demo.submit(asleep())
        assert process.wait(10) == 137
        demo.http.close()


def test_the_process_ends_on_sigterm(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "rushes.testing.comfyui",
        "--port",
        "0",
        "--base-directory",
        str(tmp_path),
    ]
    with subprocess.Popen([*command, "--version", "0.3.64"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        demo = Comfy(process.stdout.readline().split()[-1])
        assert demo.version == "0.3.64"
        assert "RushesDemoSleep" not in demo.classes
        process.terminate()
        assert process.wait(10) == 0
        demo.http.close()


def test_a_taken_port_is_said_in_words(server: DemoServer, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="in use"):
        DemoServer(tmp_path, port=server.port).start()
