"""How a prompt ended and what it made, read from recorded and from hostile history entries."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.comfy import ComfyFile, without_paths
from rushes.domain.history import Ending, collect, natural, outcome, seconds_run
from rushes.domain.job import JobErrorCode
from tests.unit.comfy_client.recordings import RUNS, VERSIONS, entry

FINISHED = [(v, name) for v in VERSIONS for name, run in RUNS[v].items() if run["entry"]]


def failed(kind: str, said: str, **more: Any) -> dict[str, Any]:
    data = {
        "node_id": "3",
        "node_type": "KSampler",
        "exception_type": kind,
        "exception_message": said,
        "traceback": [],
    }
    graph = {"3": {"class_type": "KSampler", "inputs": {}, "_meta": {"title": "Sampler"}}}
    messages = [["execution_start", {}], ["execution_error", {**data, **more}]]
    return {
        "prompt": [0, "id", graph, {}, []],
        "outputs": {},
        "status": {"status_str": "error", "messages": messages},
    }


@pytest.mark.parametrize(("version", "name"), FINISHED)
def test_every_recorded_ending(version: str, name: str) -> None:
    expected = {"z_interrupted": Ending.INTERRUPTED, "z_runtime_error": Ending.ERROR}
    assert outcome(entry(version, name)).ending is expected.get(name, Ending.SUCCESS)


@pytest.mark.parametrize(("version", "name"), FINISHED)
def test_every_recorded_file_is_collected(version: str, name: str) -> None:
    found = [
        [made.node_id, made.key, made.file.filename] for made in collect(entry(version, name)) if made.file
    ]
    assert sorted(found) == sorted(RUNS[version][name]["files"])


def test_the_recordings_hold_the_awkward_keys() -> None:
    keys = {made.key for version, name in FINISHED for made in collect(entry(version, name))}
    assert {"images", "audio", "gifs", "files", "latents", "text"} <= keys


@pytest.mark.parametrize("version", VERSIONS)
def test_a_runtime_error_names_the_node_and_keeps_the_traceback_for_its_owner(version: str) -> None:
    ended = outcome(entry(version, "z_runtime_error"))
    assert ended.code is JobErrorCode.NODE_ERROR
    assert ended.message.startswith(
        "Node 9 (SaveVideo) failed: ExternalError: [Errno 542398533] Generic error"
    )
    assert ended.details["node_id"] == "9"
    assert "error.py" in ended.details["traceback"]
    assert "error.py" not in ended.message


@pytest.mark.parametrize("version", VERSIONS)
def test_an_interrupt_is_no_error_though_the_status_says_so(version: str) -> None:
    interrupted = entry(version, "z_interrupted")
    assert interrupted["status"]["status_str"] == "error"
    ended = outcome(interrupted)
    assert ended.code is JobErrorCode.INTERRUPTED
    assert "node 3 (RSleep)" in ended.message
    assert len(collect(interrupted)) == 1  # what was made before the interrupt


def test_a_blocked_branch_is_not_the_end() -> None:
    blocked = failed("ExecutionBlocked", "Execution Blocked: no")
    blocked["status"]["status_str"] = "success"
    assert outcome(blocked).ending is Ending.SUCCESS
    blocked["status"]["messages"].append(["execution_interrupted", {"node_id": "9"}])
    assert outcome(blocked).ending is Ending.INTERRUPTED


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("torch.OutOfMemoryError", "Allocation on device "),
        ("torch.cuda.OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 GiB"),
        ("RuntimeError", "HIP out of memory."),
        ("RuntimeError", "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
        ("RuntimeError", "MPS backend out of memory (MPS allocated: 17.9 GB)"),
        ("MemoryError", ""),
        ("numpy.core._exceptions._ArrayMemoryError", "Unable to allocate 9.31 GiB for an array"),
        ("comfy.model_management.OOM_EXCEPTION", "x"),
    ],
)
def test_out_of_memory_is_recognised(kind: str, said: str) -> None:
    ended = outcome(failed(kind, said))
    assert ended.code is JobErrorCode.OUT_OF_MEMORY
    assert ended.message.startswith('Node 3 "Sampler" (KSampler) ran out of memory.')


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "cannot identify image file '/srv/comfy/input/jobs/1/a b.png'",
            "cannot identify image file 'a b.png'",
        ),
        ("No such file: /home/anna/ComfyUI/models/x.safetensors", "No such file: x.safetensors"),
        (r"can't open C:\Users\Anna\ComfyUI\x.png now", "can't open x.png now"),
        (r"can't open 'C:\\Users\\Anna Lee\\x.png'", "can't open 'x.png'"),
        ("(/a/b/c.py), line 3", "(c.py), line 3"),
        ("rate 1/2 and/or see https://example.org/a/b", "rate 1/2 and/or see https://example.org/a/b"),
        ("shapes 4x8 / 8x4 differ", "shapes 4x8 / 8x4 differ"),
    ],
)
def test_messages_show_no_server_paths(said: str, shown: str) -> None:
    assert without_paths(said) == shown
    assert outcome(failed("ValueError", said)).message.endswith(f"failed: ValueError: {shown}")


def test_only_the_first_line_is_shown() -> None:
    ended = outcome(failed("Exception", "\n  first\nsecond\n"))
    assert ended.message == 'Node 3 "Sampler" (KSampler) failed: first'
    assert ended.details["exception_message"] == "\n  first\nsecond\n"


def listing(outputs: Any, **more: Any) -> dict[str, Any]:
    graph = {"9": {"class_type": "SaveImage", "inputs": {}, "_meta": {"title": "Out"}}}
    return {"prompt": [0, "id", graph, {}, []], "outputs": outputs, "status": {}, **more}


def test_files_stand_in_natural_node_order_with_defaults() -> None:
    entry = listing(
        {
            "12:10": {"x": [{"filename": "d"}]},
            "10": {"x": [{"filename": "c"}]},
            "9": {"x": [{"filename": "b", "type": "temp", "subfolder": "s", "format": "video/h264"}]},
            "12:2": {"x": [{"filename": "a"}]},
        }
    )
    assert [(made.node_id, made.file) for made in collect(entry)] == [
        ("9", ComfyFile(filename="b", subfolder="s", type="temp")),
        ("10", ComfyFile(filename="c")),
        ("12:2", ComfyFile(filename="a")),
        ("12:10", ComfyFile(filename="d")),
    ]


def test_equal_names_are_kept_apart_and_one_file_is_listed_once() -> None:
    same, elsewhere = {"filename": "a.png"}, {"filename": "a.png", "subfolder": "b"}
    temp = {"filename": "a.png", "type": "temp"}
    entry = listing({"1": {"images": [same, elsewhere, temp], "gifs": [same]}, "2": {"images": [same]}})
    assert [(made.node_id, made.file.subfolder, made.file.type) for made in collect(entry) if made.file] == [
        ("1", "", "output"),
        ("1", "b", "output"),
        ("1", "", "temp"),
        ("2", "", "output"),
    ]


def test_what_is_neither_file_nor_text_is_left_out() -> None:
    entry = listing(
        {
            "9": {
                "text": ["one", "one", 7, None],
                "result": ["no text", None, {"camera": 1}, {"filename": None}, {"filename": ""}],
                "animated": [True],
                "dims": 3,
                "nested": [[{"filename": "in/side.png"}]],
                "alone": {"filename": "alone.png"},
            }
        }
    )
    assert [(made.text, made.file) for made in collect(entry)] == [
        ("one", None),
        ("one", None),
        (None, ComfyFile(filename="side.png", subfolder="in")),
        (None, ComfyFile(filename="alone.png")),
    ]


def test_a_node_made_while_running_is_named_by_the_node_it_stands_for() -> None:
    expanded = {"9.0.0.4": {"display_node": "9", "parent_node": "9", "real_node_id": "9"}}
    (made,) = collect(listing({"9.0.0.4": {"images": [{"filename": "a"}]}}, meta=expanded))
    assert (made.node_id, made.node_title, made.node_class) == ("9.0.0.4", "Out", "SaveImage")


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300))))
def test_ids_sort_as_numbers(pairs: list[tuple[int, int]]) -> None:
    assert sorted((f"{a}:{b}" for a, b in pairs), key=natural) == [f"{a}:{b}" for a, b in sorted(pairs)]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_message = st.tuples(
    st.sampled_from(["execution_error", "execution_success", "execution_interrupted", "odd"]),
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("node_id", "node_type", "exception_type", "exception_message", "traceback"), _json
        ),
    )
    | _json,
).map(list)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "prompt": _json | st.tuples(_json, _json, _json).map(list),
            "outputs": _json,
            "meta": _json,
            "status": _json | st.fixed_dictionaries({"messages": st.lists(_message, max_size=3) | _json}),
        },
    )
)
def test_no_entry_is_too_odd_to_be_read(entry: dict[str, Any]) -> None:
    ended = outcome(entry)
    assert (ended.code is None) == (ended.ending is Ending.SUCCESS)
    assert all((made.file is None) != (made.text is None) for made in collect(entry))


@pytest.mark.parametrize(
    ("messages", "seconds"),
    [
        ([["execution_start", {"timestamp": 1000}], ["execution_success", {"timestamp": 3500}]], 2.5),
        ([["execution_start", {"timestamp": 1000}], ["execution_error", {"timestamp": 3500}]], None),
        ([["execution_start", {}], ["execution_success", {"timestamp": True}]], None),
        ([["execution_start", {"timestamp": 9000}], ["execution_success", {"timestamp": 3500}]], 0.0),
        ("nothing", None),
    ],
)
def test_how_long_it_ran(messages: Any, seconds: float | None) -> None:
    assert seconds_run({"status": {"messages": messages}}) == seconds
