"""Order, cancelling, resubmission, paging: what happens to prompts, beside running them."""

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.contract.comfyui.api import Comfy, wait_for
from tests.contract.comfyui.cases import empty, node, save


def quick() -> dict[str, Any]:
    """A prompt no cache knows."""
    return {"1": empty(color=random.randrange(0xFFFFFF)), "2": save()}


def slow(length: int = 150) -> dict[str, Any]:
    """A long chain of quick nodes: interruptible after each."""
    prompt = {"0": empty(width=512, height=512, color=random.randrange(0xFFFFFF))}
    for number in range(1, length):
        prompt[str(number)] = node(
            "ImageBlur", image=[str(number - 1), 0], blur_radius=4, sigma=1.0 + number / 100
        )
    return prompt | {"end": node("PreviewImage", images=[str(length - 1), 0])}


@contextmanager
def busy(comfy: Comfy) -> Iterator[str]:
    """The worker at work for some seconds, on a prompt of ours; ended in any case."""
    prompt_id = str(uuid.uuid4())
    assert comfy.submit(slow(), prompt_id=prompt_id).status_code == 200
    wait_for(lambda: prompt_id in comfy.running_ids())
    try:
        yield prompt_id
    finally:
        comfy.post("/interrupt", {"prompt_id": prompt_id})
        comfy.entry(prompt_id)


def last_message(comfy: Comfy, prompt_id: str) -> str:
    return str(comfy.entry(prompt_id)["status"]["messages"][-1][0])


def test_our_own_prompt_id_is_kept(comfy: Comfy) -> None:
    prompt_id = str(uuid.uuid4())
    assert comfy.submit(quick(), prompt_id=prompt_id).post["prompt_id"] == prompt_id
    assert comfy.entry(prompt_id)["prompt"][1] == prompt_id


@pytest.mark.parametrize(
    "given",
    [
        "not-a-uuid",
        "02CD7539-8489-4620-A921-3DF32E516A07",
        "c80a48a295ea46b78a74e146d1ef94ac",
        123,
        "",
        ["x"],
    ],
)
def test_a_prompt_id_that_is_no_canonical_uuid(comfy: Comfy, given: Any) -> None:
    run = comfy.submit(quick(), prompt_id=given)
    if comfy.has_jobs:
        assert (run.status_code, run.post["error"]["type"]) == (400, "invalid_prompt_id")
    else:
        assert (run.status_code, run.post["prompt_id"]) == (200, str(given))
        wait_for(lambda: str(given) in comfy.get("/history"))


def test_a_null_prompt_id(comfy: Comfy) -> None:
    minted = comfy.submit(quick(), prompt_id=None).post["prompt_id"]
    assert (minted == "None") is (not comfy.has_jobs)
    comfy.entry(minted)


def test_pending_prompts_are_ordered_by_number(comfy: Comfy) -> None:
    with busy(comfy):
        late, early, front = (str(uuid.uuid4()) for _ in range(3))
        assert comfy.submit(quick(), prompt_id=late, number="1e9").post["number"] == 1e9
        assert comfy.submit(quick(), prompt_id=early, number=5e8).post["number"] == 5e8
        assert comfy.submit(quick(), prompt_id=front, front=True).post["number"] < 0
        assert comfy.pending_ids()[0] == front
        order = {item[1]: item[0] for item in comfy.get("/queue")["queue_pending"]}
        assert order[early] == 5e8
    starts = [comfy.entry(each)["status"]["messages"][0][1]["timestamp"] for each in (front, early, late)]
    assert starts == sorted(starts)


def test_a_deleted_pending_prompt_leaves_no_trace(comfy: Comfy) -> None:
    with busy(comfy):
        prompt_id = comfy.submit(quick()).prompt_id
        answer = comfy.post("/queue", {"delete": [prompt_id]})
        assert (answer.status_code, answer.content) == (200, b"")
        assert prompt_id not in comfy.pending_ids()
    assert comfy.get(f"/history/{prompt_id}") == {}


def test_deleting_does_not_touch_the_running_prompt(comfy: Comfy) -> None:
    with busy(comfy) as running:
        comfy.post("/queue", {"delete": [running]})
        assert running in comfy.running_ids()


def test_one_id_twice_is_queued_twice_and_deleted_one_by_one(comfy: Comfy) -> None:
    with busy(comfy):
        prompt_id = str(uuid.uuid4())
        for _ in range(2):
            assert comfy.submit(quick(), prompt_id=prompt_id).status_code == 200
        assert comfy.pending_ids().count(prompt_id) == 2
        comfy.post("/queue", {"delete": [prompt_id]})
        assert comfy.pending_ids().count(prompt_id) == 1
        comfy.post("/queue", {"delete": [prompt_id]})


def test_resubmitting_an_id_runs_again_and_replaces_the_entry(comfy: Comfy) -> None:
    prompt_id = str(uuid.uuid4())
    comfy.submit(quick(), prompt_id=prompt_id)
    first = comfy.entry(prompt_id)
    comfy.submit(quick(), prompt_id=prompt_id)
    second = wait_for(lambda: _other(comfy.get(f"/history/{prompt_id}")[prompt_id], first))
    assert second["outputs"] != first["outputs"]


def _other(entry: dict[str, Any], first: dict[str, Any]) -> dict[str, Any] | None:
    return entry if entry["prompt"][0] != first["prompt"][0] else None


def test_an_interrupt_for_another_id_changes_nothing(comfy: Comfy) -> None:
    with busy(comfy) as running:
        assert comfy.post("/interrupt", {"prompt_id": str(uuid.uuid4())}).status_code == 200
        assert running in comfy.running_ids()


def test_an_interrupted_prompt_says_so_and_keeps_its_outputs(comfy: Comfy) -> None:
    prompt = {"1": empty(color=random.randrange(0xFFFFFF)), "2": save()} | {
        f"s{key}": {
            **value,
            "inputs": {
                name: [f"s{link[0]}", link[1]] if isinstance(link, list) else link
                for name, link in value["inputs"].items()
            },
        }
        for key, value in slow().items()
    }
    prompt_id = comfy.submit(prompt, prompt_id=str(uuid.uuid4())).prompt_id
    wait_for(lambda: prompt_id in comfy.running_ids())
    comfy.post("/interrupt", {"prompt_id": prompt_id})
    entry = comfy.entry(prompt_id)
    kind, data = entry["status"]["messages"][-1]
    assert (kind, entry["status"]["status_str"]) == ("execution_interrupted", "error")
    assert set(data) == {"prompt_id", "node_id", "node_type", "executed", "timestamp"}
    assert set(entry["outputs"]) <= {"2"}


def test_an_interrupt_while_idle_does_not_leak(comfy: Comfy) -> None:
    comfy.post("/interrupt", {"prompt_id": str(uuid.uuid4())})
    assert last_message(comfy, comfy.submit(quick()).prompt_id) == "execution_success"


def test_cancelling_atomically(comfy: Comfy) -> None:
    if not comfy.has_jobs:
        assert comfy.post(f"/api/jobs/{uuid.uuid4()}/cancel").status_code == 405
        return
    with busy(comfy) as running:
        pending = comfy.submit(quick()).prompt_id
        assert comfy.post(f"/api/jobs/{pending}/cancel").json() == {"cancelled": True}
        assert comfy.http.get(f"/api/jobs/{pending}").status_code == 404
        assert comfy.post(f"/api/jobs/{running}/cancel").json() == {"cancelled": True}
        assert last_message(comfy, running) == "execution_interrupted"
        assert comfy.post(f"/api/jobs/{running}/cancel").json() == {"cancelled": False}
        assert comfy.get(f"/api/jobs/{running}")["status"] == "cancelled"
    bad = comfy.post("/api/jobs/cancel", {"job_ids": ["x", 3]})
    assert (bad.status_code, bad.json()["invalid_ids"]) == (400, ["x", "3"])
    assert comfy.post("/api/jobs/cancel", {"job_ids": [str(uuid.uuid4())]}).json() == {"cancelled": False}
    assert comfy.post("/api/jobs/cancel", {"job_ids": "x"}).status_code == 400


def test_a_pending_and_a_running_job(comfy: Comfy) -> None:
    if not comfy.has_jobs:
        pytest.skip("this version has no /api/jobs")
    with busy(comfy) as running:
        pending = comfy.submit(quick()).prompt_id
        one = comfy.get(f"/api/jobs/{pending}")
        assert (one["status"], one["outputs_count"]) == ("pending", 0)
        assert comfy.get(f"/api/jobs/{running}")["status"] == "in_progress"
        listed = comfy.get("/api/jobs?status=pending,in_progress")["jobs"]
        assert {pending, running} <= {job["id"] for job in listed}
        comfy.post("/queue", {"delete": [pending]})


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            "status=bogus",
            "Invalid status value(s): bogus. Valid values: pending, in_progress, completed, failed, cancelled",
        ),
        ("limit=0", "limit must be a positive integer"),
        ("limit=x", "limit must be an integer"),
        ("sort_by=foo", "sort_by must be 'created_at' or 'execution_duration'"),
    ],
)
def test_a_job_listing_that_makes_no_sense(comfy: Comfy, query: str, words: str) -> None:
    answer = comfy.http.get(f"/api/jobs?{query}")
    if not comfy.has_jobs:
        assert answer.status_code == 404
    else:
        assert (answer.status_code, answer.json()) == (400, {"error": words})


def test_jobs_are_found_by_workflow(comfy: Comfy) -> None:
    if not comfy.has_jobs:
        pytest.skip("this version has no /api/jobs")
    name = uuid.uuid4().hex
    run = comfy.run(quick(), name=name)
    page = comfy.get(f"/api/jobs?workflow_id=wf-{name}&limit=5")
    assert [job["id"] for job in page["jobs"]] == [run.prompt_id]
    assert page["pagination"] == {"offset": 0, "limit": 5, "total": 1, "has_more": False}
    assert comfy.http.get("/api/jobs/unknown").json() == {"error": "Job not found"}
    assert comfy.http.get("/jobs").status_code == 404


def test_history_pages_from_both_ends(comfy: Comfy) -> None:
    ids = [comfy.submit(quick()).prompt_id for _ in range(3)]
    for prompt_id in ids:
        comfy.entry(prompt_id)
    whole = list(comfy.get("/history"))
    assert list(comfy.get("/history?max_items=2")) == whole[-2:]
    assert list(comfy.get("/history?max_items=2&offset=0")) == whole[:2]
    assert comfy.http.get("/history?max_items=abc").status_code == 500
    assert comfy.post("/history", {"delete": ids[:1]}).content == b""
    assert comfy.get(f"/history/{ids[0]}") == {}
    assert comfy.post("/history", raw=b"nonsense").status_code == 500


def test_only_the_wanted_outputs_run(comfy: Comfy) -> None:
    prompt = quick() | {"5": node("PreviewImage", images=["1", 0])}
    entry = comfy.entry(comfy.submit(prompt, partial_execution_targets=["5"]).prompt_id)
    assert (list(entry["outputs"]), entry["prompt"][4]) == (["5"], ["5"])
    for useless in (["1"], ["nope"]):
        refused = comfy.submit(prompt, partial_execution_targets=useless)
        assert refused.post["error"]["type"] == "prompt_no_outputs"


def test_extra_data_comes_back_without_secrets(comfy: Comfy) -> None:
    extra = {"foo": {"a": 1}, "auth_token_comfy_org": "s", "api_key_comfy_org": "s"}
    run = comfy.submit(quick(), extra_data=extra, client_id="nobody")
    kept = comfy.entry(run.prompt_id)["prompt"][3]
    assert kept.pop("create_time", 0) > 0 or not comfy.has_jobs
    assert kept == {"foo": {"a": 1}, "client_id": "nobody"}


def test_same_id_and_number_is_a_500_and_runs_all_the_same(comfy: Comfy) -> None:
    with busy(comfy):
        prompt_id = str(uuid.uuid4())
        assert comfy.submit(quick(), prompt_id=prompt_id, number=1e6).status_code == 200
        twin = comfy.post("/prompt", {"prompt": quick(), "prompt_id": prompt_id, "number": 1e6})
        assert twin.status_code == 500
        assert comfy.pending_ids().count(prompt_id) == 2
        for _ in range(2):  # more of them end the real server's worker
            comfy.post("/queue", {"delete": [prompt_id]})


def test_small_answers(comfy: Comfy) -> None:
    assert set(comfy.get("/prompt")["exec_info"]) == {"queue_remaining"}
    assert comfy.get("/api/prompt") == comfy.get("/prompt")
    assert comfy.post("/free", {"unload_models": True, "free_memory": True}).status_code == 200
    assert comfy.get("/object_info/NoSuchNode") == {}
    assert comfy.get("/object_info/EmptyImage")["EmptyImage"]["output"] == ["IMAGE"]
    assert comfy.get("/features")["supports_preview_metadata"] is True
    assert "checkpoints" in comfy.get("/models")
    assert comfy.http.get("/models/nonsense").status_code == 404
    assert comfy.get("/models/loras") == comfy.get("/embeddings") == []
    assert comfy.http.get("/health").status_code == 404
    assert comfy.http.delete("/prompt").status_code == 405


def test_a_chain_too_deep_is_refused(comfy: Comfy) -> None:
    prompt = {"0": empty()} | {
        str(number): node("ImageInvert", image=[str(number - 1), 0]) for number in range(1, 3000)
    }
    refused = comfy.submit(prompt | {"end": node("PreviewImage", images=["2999", 0])})
    assert refused.status_code == 400
    (found,) = refused.post["node_errors"].values()
    extra = found["errors"][0]["extra_info"]
    assert (found["errors"][0]["type"], extra["exception_type"]) == (
        "exception_during_inner_validation",
        "RecursionError",
    )


def test_a_long_chain_runs(comfy: Comfy) -> None:
    prompt = {"0": empty(width=8, height=8)} | {
        str(number): node("ImageInvert", image=[str(number - 1), 0]) for number in range(1, 80)
    }
    run = comfy.submit(prompt | {"end": node("PreviewImage", images=["79", 0])})
    assert last_message(comfy, run.prompt_id) == "execution_success"
