"""Progress from what ComfyUI really sent, and from what it never should."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.progress import Progress, ProgressTracker
from tests.unit.domain.recordings import FINISHED, RUNS, graph_of, messages_of

GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {}, "_meta": {"title": "Picture"}},
    "2": {"class_type": "KSampler", "inputs": {}},
    "3": {"class_type": "SaveImage", "inputs": {}, "_meta": {}},
    "4": {"class_type": "SaveImage", "inputs": {}},
}
SAID = st.sampled_from(
    ["execution_start", "execution_cached", "executing", "executed", "progress", "progress_state"]
)
THING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["1", "2", "9", ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["1", "2", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
NAMES = st.sampled_from(["node", "display_node", "nodes", "value", "max"])


@pytest.mark.parametrize(("version", "name"), FINISHED)
def test_a_recorded_run_only_goes_forward(version: str, name: str) -> None:
    run = RUNS[version][name]
    tracker = ProgressTracker(graph_of(run))
    told = [said for kind, data in messages_of(run) if (said := tracker.feed(kind, data))]
    percents = [said.percent for said in told if said.percent is not None]
    assert told, "nothing was told"
    assert percents == sorted(percents)
    assert all(0 <= percent <= 99 for percent in percents)
    assert all(said.stage == "running" for said in told)


@pytest.mark.parametrize("version", RUNS)
def test_a_finished_run_came_near_the_end(version: str) -> None:
    run = RUNS[version]["a_img2img"]
    tracker = ProgressTracker(graph_of(run))
    told = [said for kind, data in messages_of(run) if (said := tracker.feed(kind, data))]
    assert told[-1].percent is not None
    assert told[-1].percent >= 80
    assert {said.node for said in told} - {None} <= set(graph_of(run))
    assert any(said.node_title for said in told)


def test_steps_of_a_node_count_as_parts_of_it() -> None:
    tracker = ProgressTracker(GRAPH)
    tracker.feed("execution_start", {})
    tracker.feed("executing", {"node": "2"})
    halfway = tracker.feed("progress", {"node": "2", "value": 10, "max": 20})
    assert halfway == Progress(
        stage="running", percent=12, value=10, max=20, node="2", node_title="KSampler", position=None
    )
    assert tracker.feed("executing", {"node": "3"}) == Progress(
        stage="running", percent=25, node="3", node_title="SaveImage"
    )


def test_cached_nodes_are_done_from_the_start() -> None:
    tracker = ProgressTracker(GRAPH)
    said = tracker.feed("execution_cached", {"nodes": ["1", "2"]})
    assert said is not None
    assert said.percent == 50


def test_a_title_is_preferred_to_the_class() -> None:
    said = ProgressTracker(GRAPH).feed("executing", {"node": "1"})
    assert said is not None
    assert said.node_title == "Picture"


def test_nodes_that_grew_while_running_are_no_steps() -> None:
    tracker = ProgressTracker(GRAPH)
    for number in range(50):
        said = tracker.feed("executed", {"node": f"2.0.{number}"})
    assert said is not None
    assert said.percent == 0


def test_queue_places_until_it_runs() -> None:
    tracker = ProgressTracker(GRAPH)
    assert tracker.seen("pending", 3) == Progress(stage="queued", position=3)
    assert tracker.seen("running") == Progress(stage="running", percent=0)
    tracker.feed("progress", {"node": "2", "value": 1, "max": 2})
    assert tracker.seen("running").node == "2", "a poll must not wipe out what the messages told"


def test_other_messages_tell_nothing() -> None:
    assert ProgressTracker(GRAPH).feed("crystools.monitor", {"cpu": 3}) is None


@given(st.lists(st.tuples(SAID, st.dictionaries(NAMES, THING)), max_size=20))
def test_odd_messages_do_no_harm(messages: list[tuple[str, dict[str, Any]]]) -> None:
    tracker = ProgressTracker(GRAPH)
    for kind, data in messages:
        said = tracker.feed(kind, data)
        assert said is not None
        assert said.percent is None or 0 <= said.percent <= 99


def test_json_leaves_out_what_is_not_known() -> None:
    assert Progress(stage="running", percent=0).as_json() == {"stage": "running", "percent": 0}
