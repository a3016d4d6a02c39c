"""A ComfyUI server that misbehaves, is away, or says odd things; and the words that a person gets."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rushes.services import collect, follow
from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.demo_view import at_hand, prompts
from tests.integration.app.made import picture
from tests.integration.app.person import Person, names, shown
from tests.integration.app.stand import Stand
from tests.integration.app.types import SLEEPER, install, node, simple, sleeper_graph

ODD = {
    "images": [{"filename": float("nan")}, "text", None, {"subfolder": "x"}, 7],
    "text": ["a\x00b", "half \ud800 pair", "🎬", 5],
    "odd": [float("nan"), float("inf"), {"x": float("nan")}],
    "\x00key": ["\x00"],
}


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    with DemoServer(extra_nodes=True) as server:
        yield server


@pytest.fixture(autouse=True)
def well_again(demo: DemoServer) -> Iterator[None]:
    yield
    demo.faults.clear()
    if not demo.is_running:
        demo.start()


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("types")
    install(folder, "sleep", SLEEPER, sleeper_graph())
    save = node("SaveImage", images=["1", 0], filename_prefix="x")
    image = node("EmptyImage", width=8, height=8, batch_size=1, color=0)

    def with_first(name: str, first: dict[str, Any], second: dict[str, Any] = save) -> None:
        install(folder, name, simple(name), {"1": first, "2": second})

    message = "CUDA gave up at /home/comfy/models/checkpoints/big.safetensors"
    with_first("failing", node("RushesDemoFail", message=message))
    with_first("no-node", node("NodeOfNobody", x=1))
    with_first("wrong-value", node("RushesDemoSleep", seconds=-5.0, steps=10))
    graph = {"0": image, "1": node("RushesDemoBlock", image=["0", 0], message=""), "2": save}
    install(folder, "blocked", simple("Blocked"), graph)
    odd = node("RushesDemoShow", ui_json=json.dumps(ODD))
    install(folder, "odd", simple("Odd", "text"), {"2": odd})
    gone = {"images": [{"filename": "never-there.png", "subfolder": "", "type": "output"}]}
    three = {"1": image, "2": save, "3": save, "4": save}
    outputs = "\n".join(f'[[outputs]]\nname = "more{n}"\nkind = "image"\nnode = "{n}"' for n in (3, 4))
    install(folder, "three", simple("Three") + outputs, three)
    install(
        folder, "liar", simple("Liar"), {"1": image, "2": node("RushesDemoShow", ui_json=json.dumps(gone))}
    )
    return folder


@pytest.fixture(scope="module")
def app(postgres_server: str, demo: DemoServer, types: Path, tmp_path_factory) -> Iterator[Stand]:
    with (
        app_database(postgres_server) as url,
        Stand(
            url, tmp_path_factory.mktemp("app"), comfy_urls=[demo.url], workflows_dir=types, lease_seconds=5
        ) as stand,
    ):
        yield stand


def slots_are_free(app: Stand) -> None:
    until = time.monotonic() + 10
    while app.sql("select * from workflow_job_leases"):
        assert time.monotonic() < until, "a lease is left"
        time.sleep(0.02)


def stored(app: Stand, job: dict[str, Any]) -> set[str]:
    return names_in(app.storage / "workflows" / job["workflow_type"] / job["id"])


def names_in(folder: Path) -> set[str]:
    """os.walk: a folder may go while it is looked at."""
    return {name for _, _, names in os.walk(folder) for name in names}


def no_file_stays(app: Stand, job: dict[str, Any]) -> None:
    until = time.monotonic() + 10
    while kept := {name for name in stored(app, job) if not name.startswith("input")}:
        assert time.monotonic() < until, kept
        time.sleep(0.02)
    assert not [name for name in names_in(app.storage) if ".part" in name]


# --- what a job says that can't be run ------------------------------------------------------------


def test_a_node_that_raises(app: Stand, anna: Person):
    job = anna.failed(anna.submit("failing")["id"])
    assert job["error_code"] == "node_error"
    assert "RushesDemoFail" in job["error_message"]
    assert "CUDA gave up" in job["error_message"]
    assert "/home/comfy" not in json.dumps({k: v for k, v in job.items() if k != "error_details"})
    assert "/home/comfy" not in json.dumps(anna.attempts(job["id"]))
    assert anna.attempts(job["id"])[0]["outcome"] == "failed"
    slots_are_free(app)


def test_what_no_server_has_waits_and_says_so(app: Stand, anna: Person):
    job = anna.submit("no-node")
    job = anna.until(job["id"], lambda one: one["waiting_reason"])
    assert "NodeOfNobody" in job["waiting_reason"]
    assert (job["status"], job["attempt"]) == ("pending", 0)
    other = anna.completed(anna.submit("sleep", {"seconds": 0})["id"])  # it holds up nobody
    assert other["attempt"] == 1
    anna.post(f"/api/jobs/{job['id']}/cancel")


def test_a_value_that_comfyui_refuses(anna: Person):
    job = anna.failed(anna.submit("wrong-value")["id"])
    assert job["error_code"] == "invalid_workflow"
    assert "seconds" in job["error_message"]
    assert "RushesDemoSleep" in job["error_message"]
    assert job["attempt"] == 1


def test_an_input_file_that_is_gone(app: Stand, demo: DemoServer, anna: Person):
    demo.stop()
    job = anna.submit("img2img", {"image": anna.uploaded("a.png", picture()), "prompt": "x"})
    (app.storage / job["inputs"]["image"]["key"]).unlink()
    demo.start()
    job = anna.failed(job["id"])
    assert job["error_code"] == "missing_input"
    assert "input.png" in job["error_message"]


def test_a_success_without_output(anna: Person):
    job = anna.failed(anna.submit("blocked")["id"])
    assert (job["error_code"], job["outputs"], job["result_urls"]) == ("no_output", None, [])
    assert "no output" in job["error_message"]


def test_odd_things_in_a_history(anna: Person):
    job = anna.completed(anna.submit("odd")["id"])
    texts = [text["text"] for text in job["outputs"]["texts"]]
    assert "🎬" in texts
    assert all("\x00" not in text for text in texts)
    assert job["outputs"]["files"] == []


def test_a_file_that_comfyui_has_not(app: Stand, anna: Person):
    job = anna.failed(anna.submit("liar")["id"], seconds=40)
    assert job["error_code"] == "server_lost"
    assert job["attempt"] == 3
    assert [one["outcome"] for one in anna.attempts(job["id"])] == ["retried", "retried", "failed"]


# --- a connection that is bad ------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["freeze_websocket", "close_websocket"])
def test_without_a_websocket(demo: DemoServer, anna: Person, fault: str):
    demo.faults.add(fault, times=None if fault.startswith("freeze") else 1)
    job = anna.completed(anna.submit("sleep", {"seconds": 0.3})["id"])
    assert job["attempt"] == 1


def test_the_answer_to_the_submit_is_lost(demo: DemoServer, anna: Person):
    demo.faults.add("lose_answer", route="/prompt", method="POST", times=1)
    job = anna.completed(anna.submit("sleep", {"seconds": 0.1})["id"])
    assert job["attempt"] == 1
    assert prompts(demo)[job["job_id"]] == "success"


def test_a_submit_that_never_arrives_is_another_attempt(demo: DemoServer, anna: Person):
    demo.faults.add("drop", route="/prompt", method="POST", times=1)
    job = anna.completed(anna.submit("sleep", {"seconds": 0.1})["id"])
    assert job["attempt"] == 2
    first, second = anna.attempts(job["id"])
    assert (first["outcome"], first["error_code"], first["submitted_at"]) == ("retried", "server_lost", None)
    assert second["outcome"] == "completed"
    assert names(job["outputs"]["files"]) == ["output-2.png"]


@pytest.mark.parametrize("fault", [{"kind": "truncate", "bytes": 20}, {"kind": "drop"}, {"kind": "status"}])
def test_a_file_that_comes_broken_is_fetched_again(
    app: Stand, demo: DemoServer, anna: Person, fault: dict[str, Any]
):
    demo.faults.add(route="/view", times=1, **fault)
    job = anna.completed(anna.submit("sleep", {"seconds": 0})["id"])
    assert job["attempt"] == 1
    (file,) = job["outputs"]["files"]
    content = anna.get(file["url"]).content
    assert content[-8:] == b"IEND\xaeB`\x82"
    assert file["size_bytes"] == len(content)


def test_what_an_attempt_leaves_on_a_server_is_cancelled(demo: DemoServer, anna: Person, monkeypatch):
    monkeypatch.setattr(follow, "UNREACHABLE_GRACE", 0.5)
    job = anna.submit("sleep", {"seconds": 60, "seed": 1})
    first = anna.until(job["id"], lambda one: at_hand(demo) == [one["job_id"]])["job_id"]
    for route in ("/queue", "/history/*", "/jobs/*", "/system_stats"):
        demo.faults.add("status", route=route)
    second = anna.until(job["id"], lambda one: one["status"] == "pending")
    assert "failed inside" in second["waiting_reason"]
    assert "127.0.0.1" not in second["waiting_reason"]
    assert demo.url in anna.attempts(job["id"])[0]["error_message"], "in the log of one's own job"
    demo.faults.clear()
    anna.until(job["id"], lambda one: at_hand(demo) == [one["job_id"]] and one["job_id"] != first)
    assert prompts(demo)[first] == "interrupted"
    anna.post(f"/api/jobs/{job['id']}/cancel")
    assert anna.ended(job["id"])["status"] == "cancelled"


# --- a server that goes away ---------------------------------------------------------------------------


def test_a_restart_in_the_middle_is_a_second_attempt(app: Stand, demo: DemoServer, anna: Person):
    job = anna.submit("sleep", {"seconds": 1.5})
    anna.until(job["id"], lambda one: (one["progress"] or {}).get("stage") == "running")
    demo.restart()
    job = anna.completed(job["id"])
    assert job["attempt"] == 2
    assert names(job["outputs"]["files"]) == ["output-2.png"]
    first, second = anna.attempts(job["id"])
    assert (first["outcome"], second["outcome"]) == ("retried", "completed")
    assert "restarted" in first["error_message"]
    assert first["prompt_id"] != second["prompt_id"] == job["job_id"]
    anna.until(job["id"], lambda one: one["outputs"]["files"][0]["thumb_key"])
    assert stored(app, job) == {"output-2.png", "thumb_1-2.webp"}
    slots_are_free(app)


def test_leftovers_of_an_attempt_are_removed(app: Stand, demo: DemoServer, anna: Person, monkeypatch):
    """The first attempt has stored one of three files when the server begins to fail."""
    monkeypatch.setattr(collect, "STORE_PATIENCE", 0.5)
    demo.faults.add("slow_body", route="/view", bytes_per_second=200)
    job = anna.submit("three")
    until = time.monotonic() + 20
    while "output.png" not in stored(app, job):
        assert time.monotonic() < until
        time.sleep(0.01)
    demo.faults.clear()
    demo.faults.add("drop", route="/view")
    anna.until(job["id"], lambda one: one["status"] == "pending")
    demo.faults.clear()
    job = anna.completed(job["id"])
    assert job["attempt"] == 2
    assert names(job["outputs"]["files"]) == ["output-2.png", "more3-2.png", "more4-2.png"]
    until = time.monotonic() + 10
    while {"output.png", "more3.png", "more4.png"} & stored(app, job):
        assert time.monotonic() < until, stored(app, job)
        time.sleep(0.05)
    for url in job["result_urls"]:
        assert anna.get(url).status_code == 200


def test_nothing_is_lost_while_no_server_is_there(app: Stand, demo: DemoServer, anna: Person):
    demo.stop()
    jobs = [anna.submit("sleep", {"seconds": 0})["id"] for _ in range(3)]
    waiting = anna.until(jobs[-1], lambda one: one["waiting_reason"])
    assert "starts by itself" in waiting["waiting_reason"]
    assert "127.0.0.1" not in waiting["waiting_reason"], "where servers are is for administrators"
    ready = anna.get("/readyz")
    assert "127.0.0.1" not in ready.text
    assert demo.url in app.admin().get("/readyz").text
    assert "127.0.0.1" not in app.stranger().get("/readyz").text
    assert ready.status_code == 200  # jobs are taken in all the same
    parts = ready.json()["parts"]
    assert parts["comfyui"]["ok"] is False
    assert "no ComfyUI server can be reached" in parts["comfyui"]["message"]
    assert all(parts[name]["ok"] for name in ("database", "storage", "dispatcher"))
    workflow = anna.get("/api/workflows/img2img").json()
    assert workflow["available"] is False
    assert "reached" in workflow["reason"]
    demo.start()
    for job in jobs:
        done = anna.completed(job)
        assert done["attempt"] <= 2, shown(done)
        assert done["waiting_reason"] is None
    assert anna.get("/readyz").json()["parts"]["comfyui"]["ok"] is True


# --- a person who changes their mind, and time that runs out ---------------------------------------------


def test_cancel_while_results_are_stored(app: Stand, demo: DemoServer, anna: Person):
    demo.faults.add("slow_body", route="/view", bytes_per_second=150)
    job = anna.submit("three")
    anna.until(job["id"], lambda one: (one["progress"] or {}).get("stage") == "collecting")
    anna.post(f"/api/jobs/{job['id']}/cancel")
    ended = anna.ended(job["id"])
    assert (ended["status"], ended["error_code"], ended["outputs"]) == ("cancelled", None, None)
    no_file_stays(app, ended)
    slots_are_free(app)


def test_cancel_while_inputs_are_sent(demo: DemoServer, anna: Person):
    demo.faults.add("delay", route="/upload/image", seconds=1.0)
    image = anna.uploaded("a.png", picture())
    job = anna.submit("style-transfer", {"source_image": image, "style_image": image, "prompt": "x"})
    anna.until(job["id"], lambda one: one["status"] == "processing")
    anna.post(f"/api/jobs/{job['id']}/cancel")
    ended = anna.ended(job["id"])
    assert (ended["status"], ended["error_message"]) == ("cancelled", None)
    assert ended["job_id"] not in prompts(demo)


def test_a_deadline_that_passes_while_it_runs(app: Stand, demo: DemoServer, anna: Person):
    deadline = time.time() + 1.5
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(deadline)) + f"{deadline % 1:.3f}"[1:] + "Z"
    job = anna.failed(anna.submit("sleep", {"seconds": 60}, deadline=moment)["id"])
    assert job["error_code"] == "timeout"
    assert "deadline" in job["error_message"]
    until = time.monotonic() + 5
    while job["job_id"] in at_hand(demo):
        assert time.monotonic() < until, "its prompt still runs"
        time.sleep(0.02)


def test_a_deadline_that_passes_while_it_waits(app: Stand, demo: DemoServer, anna: Person):
    demo.stop()
    until = time.monotonic() + 15
    while app.sql("select state from comfy_servers") != [("down",)]:
        assert time.monotonic() < until
        time.sleep(0.05)
    deadline = time.time() + 1
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(deadline)) + f"{deadline % 1:.3f}"[1:] + "Z"
    job = anna.failed(anna.submit("sleep", {"seconds": 0}, deadline=moment)["id"])
    assert (job["error_code"], job["attempt"]) == ("timeout", 0)
