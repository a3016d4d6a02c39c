"""Each recorded graph, run again: the answer, the order and form of events, the entry, the job, the files."""

import re
from itertools import pairwise
from typing import Any

import pytest

from tests.contract.comfyui.api import Comfy, Run
from tests.contract.comfyui.outcome import embedded_keys, files_of, name_pattern, outputs_shape, probe, shape
from tests.contract.comfyui.record import load

GRAPHS = [
    "a_img2img", "b_style_transfer", "b2_color_transfer_progress_0.33", "c_image_edit", "d_lipsync_one",
    "d2_lipsync_one_dynamic_codec_0.29plus", "e_lipsync_multi", "f_video_lipsync", "g_wan_i2v",
    "h_character_caption", "h2_character_caption_savetext_0.27plus", "t_trivial", "x_audio_only",
    "x_batch_images", "x_latent", "z_partial_validation_200_with_node_errors", "z_runtime_error",
]  # fmt: skip
NEEDING_DEMO_NODES = [
    "y_previews_with_metadata",
    "y_previews_old_protocol",
    "y_vhs_gifs_like",
    "z_execution_blocked",
]
STANDING_FOR = {
    "RSleep": "RushesDemoSleep",
    "RBlock": "RushesDemoBlock",
    "RUi": "RushesDemoShow",
    "RRaise": "RushesDemoFail",
}
_TIMES = re.compile(r"timestamp|_time$|traceback|current_inputs|current_outputs")


def again(comfy: Comfy, name: str) -> tuple[Run, dict[str, Any]]:
    """The recording, and the same graph run on this server."""
    recording = load("recordings", comfy.version)[name]
    if recording["history"] is None:
        pytest.skip(f"{comfy.version} has not all nodes of {name}; its refusal is tested elsewhere")
    prompt = recording["history"]["prompt"][2]
    for given in prompt.values():
        given["class_type"] = STANDING_FOR.get(given["class_type"], given["class_type"])
    flags: dict[str, Any] | None = {} if name == "y_previews_old_protocol" else None
    return comfy.run(prompt, name=name, flags=flags), recording


@pytest.mark.parametrize("name", GRAPHS)
def test_a_recorded_graph_runs_again(comfy: Comfy, name: str) -> None:
    check(comfy, *again(comfy, name))


@pytest.mark.usefixtures("demo_nodes")
@pytest.mark.parametrize("name", NEEDING_DEMO_NODES)
def test_a_recorded_graph_of_custom_nodes_runs_again(comfy: Comfy, name: str) -> None:
    run, recording = again(comfy, name)
    check(comfy, run, recording, with_files=name != "y_vhs_gifs_like")


def check(comfy: Comfy, run: Run, recording: dict[str, Any], *, with_files: bool = True) -> None:
    assert run.status_code == recording["post"]["status"]
    assert shape(run.post) == shape(recording["post"]["response"])
    assert run.post["node_errors"] == recording["post"]["response"]["node_errors"]
    check_events(run, recording)
    assert run.entry is not None
    check_entry(run.entry, recording["history"])
    if comfy.has_jobs:
        assert run.job is not None
        check_job(run.job, recording["job"]["body"])
    if with_files:
        check_files(comfy, run.entry, recording["files"])


def check_events(run: Run, recording: dict[str, Any]) -> None:
    recorded = [event for event in recording["ws"] if event.get("type") != "status"]
    events = [event for event in run.events if event.get("type") != "status"]
    assert set(forms(events)) == set(forms(recorded))
    for form, keys in forms(recorded).items():
        assert forms(events)[form] == keys, form
    check_grammar(events, run.prompt_id)
    assert touched(events) == touched(recorded)
    assert shown(events) == shown(recorded)


def forms(events: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The keys of each kind of event's data, but for progress, whose number depends on timing."""
    found: dict[str, set[str]] = {}
    for event in events:
        kind = event.get("type") or f"binary {event['binary']['event']}"
        found[kind] = set(event.get("data") or event["binary"])
    return {
        kind: keys - {"no", "len", "head_hex", "b64", "payload_magic", "note"} for kind, keys in found.items()
    }


def check_grammar(events: list[dict[str, Any]], prompt_id: str) -> None:
    """Start, cached, then per node: its progress, executing, what it shows, finished; one end; executing null."""
    told = [event for event in events if event.get("type") != "feature_flags"]
    kinds = [event.get("type", "binary") for event in told]
    assert kinds[:2] == ["execution_start", "execution_cached"]
    assert kinds[-1] == "executing"
    assert told[-1]["data"] == {"node": None, "prompt_id": prompt_id}
    assert kinds[-2] in ("execution_success", "execution_error", "execution_interrupted")
    assert all(event["data"]["prompt_id"] == prompt_id for event in told if "data" in event)
    running: str | None = None
    for before, event in pairwise(told[:-2]):
        if event.get("type") == "executing":
            running = event["data"]["node"]
            assert before["type"] == "progress_state"
            assert before["data"]["nodes"][running]["state"] == "running"
        elif event.get("type") in ("executed", "progress"):
            assert event["data"]["node"] in {running, *told[1]["data"]["nodes"]}


def touched(events: list[dict[str, Any]]) -> set[str]:
    """The nodes that ran or were cached."""
    ran = {event["data"]["node"] for event in events if event.get("type") in ("executing", "executed")} - {
        None
    }
    cached = {
        node for event in events if event.get("type") == "execution_cached" for node in event["data"]["nodes"]
    }
    return ran | cached


def shown(events: list[dict[str, Any]]) -> dict[str, Any]:
    return outputs_shape(
        {e["data"]["node"]: e["data"]["output"] for e in events if e.get("type") == "executed"}
    )


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(inner) for key, inner in value.items() if not _TIMES.search(key)}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


def check_entry(entry: dict[str, Any], recorded: dict[str, Any]) -> None:
    assert set(entry) == set(recorded)
    assert outputs_shape(entry["outputs"]) == outputs_shape(recorded["outputs"])
    assert entry["meta"] == recorded["meta"]
    assert entry["status"]["status_str"] == recorded["status"]["status_str"]
    assert entry["status"]["completed"] == recorded["status"]["completed"]
    assert [message[0] for message in entry["status"]["messages"]] == [
        message[0] for message in recorded["status"]["messages"]
    ]
    for mine, theirs in zip(entry["status"]["messages"], recorded["status"]["messages"], strict=True):
        assert set(mine[1]) == set(theirs[1])
    assert shape(entry["prompt"][:2]) == shape(recorded["prompt"][:2])
    assert set(entry["prompt"][3]) == set(recorded["prompt"][3])
    assert set(entry["prompt"][4]) == set(recorded["prompt"][4])


def check_job(job: dict[str, Any], recorded: dict[str, Any]) -> None:
    assert set(job) == set(recorded)
    for key in ("status", "outputs_count", "previewable_outputs_count", "workflow_id"):
        assert job.get(key) == recorded.get(key), key
    if "preview_output" in recorded:
        names = {name_pattern(item["filename"]) for _, _, item in files_of(recorded["outputs"])}
        assert name_pattern(job["preview_output"]["filename"]) in names
        assert set(job["preview_output"]) == set(recorded["preview_output"])
    assert without_times(set(job["workflow"])) == set(recorded["workflow"])


def check_files(comfy: Comfy, entry: dict[str, Any], recorded: list[dict[str, Any]]) -> None:
    by_node = {(file["node"], file["key"], name_pattern(file["item"]["filename"])): file for file in recorded}
    for node, key, item in files_of(entry["outputs"]):
        file = by_node[node, key, name_pattern(item["filename"])]
        answer = comfy.view(item)
        assert answer.status_code == file["status"]
        same = ("content-type", "accept-ranges", "x-content-type-options")
        assert {name: answer.headers.get(name) for name in same} == {
            name: file["headers"].get(name) for name in same
        }
        assert answer.headers["content-disposition"] == f'filename="{item["filename"]}"'
        if file["probe"] is not None:
            check_probe(answer.content, file["probe"])


def check_probe(content: bytes, recorded: dict[str, Any]) -> None:
    seen = probe(content)
    assert seen["format"] == recorded["format"]
    assert seen["streams"] == recorded["streams"]
    assert abs(seen["duration_s"] - recorded["duration_s"]) <= 0.06
    assert {key.lower() for key in seen["metadata_keys"]} >= {
        key.lower() for key in recorded["metadata_keys"] if key.lower() in ("prompt", "workflow")
    }
    if seen["format"] in ("png_pipe", "webp_pipe"):
        assert embedded_keys(content) == {"prompt", "workflow"}


def test_an_identical_graph_runs_nothing_and_lists_the_same_files(comfy: Comfy) -> None:
    prompt = load("recordings", comfy.version)["y_cached_rerun_first"]["history"]["prompt"][2]
    first, second = comfy.run(prompt), comfy.run(prompt)
    recorded = load("recordings", comfy.version)["y_cached_rerun_second"]
    assert first.entry is not None
    assert second.entry is not None
    assert second.entry["outputs"] == first.entry["outputs"]
    assert sorted(second.of_type("execution_cached")[0]["nodes"]) == ["1", "2"]
    assert [e["type"] for e in second.events if e["type"] != "status"] == [
        e["type"] for e in recorded["ws"] if e["type"] != "status"
    ]


def test_statuses_count_the_queue(comfy: Comfy) -> None:
    prompt = load("recordings", comfy.version)["t_trivial"]["history"]["prompt"][2]
    statuses = [
        data["status"]["exec_info"]["queue_remaining"] for data in comfy.run(prompt).of_type("status")
    ]
    assert len(statuses) >= 4  # greeting, queued, taken, done; more when others use the server
    assert statuses[-1] <= statuses[-2]
