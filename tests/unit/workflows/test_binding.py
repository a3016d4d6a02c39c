from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import InvalidInput, InvalidWorkflow
from rushes.domain.graph import bind
from rushes.domain.inputs import validate_inputs
from tests.unit.workflows.shapes import SAVE, file, node, workflow

PROMPT = workflow(
    {
        "name": "prompt",
        "kind": "text",
        "bind": ["2.value", {"node": "2", "input": ["nested", "deep", 1, "er"]}],
    },
    {"name": "image", "kind": "image", "bind": ["1.image"]},
)


def bound(type_, raw, files=None, job_id="J"):
    inputs = validate_inputs(type_.manifest, raw, random_seed=lambda: 5)
    return bind(type_, "workflow.json", inputs, files=files or {}, job_id=job_id)


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_any_text_arrives_unchanged_and_the_template_is_never_touched(text):
    before = deepcopy(dict(PROMPT.graphs))
    graph = bound(PROMPT, {"prompt": text})
    assert graph["2"]["inputs"] == {"value": text, "nested": {"deep": [0, {"er": text}]}}
    assert PROMPT.graphs == before
    graph["2"]["inputs"]["nested"]["deep"].clear()
    assert PROMPT.graphs == before


@pytest.mark.parametrize(
    "text",
    [
        '"quoted" \\ back\\slash',
        "{{WIDTH}} $& \\1 True, null",
        "\x01\x07\x1b[0m\r\n\t",
        "👩‍👩‍👧 ünï \u202e",
        '["1", 0]',
    ],
)
def test_awkward_prompts_stay_as_they_are(text):
    assert bound(PROMPT, {"prompt": text})["2"]["inputs"]["value"] == text


def test_files_are_named_as_the_server_named_them():
    graph = bound(PROMPT, {"image": file("in/k.png")}, {"in/k.png": "J/k (1).png"})
    assert graph["1"]["inputs"]["image"] == "J/k (1).png"
    with pytest.raises(InvalidInput, match="image: its file is not on the server"):
        bound(PROMPT, {"image": file("other")}, {})


def test_every_filename_prefix_names_the_job_and_the_output():
    graph = {"1": node("LoadImage", image="x"), "7:2": node("SaveAudio", filename_prefix=["1", 0]), "9": SAVE}
    result = bound(workflow(graph=graph), {}, job_id="abc")
    assert result["9"]["inputs"]["filename_prefix"] == "rushes/abc/output"
    assert result["7:2"]["inputs"]["filename_prefix"] == "rushes/abc/7-2"


def test_an_empty_input_is_removed_kept_replaced_or_takes_its_nodes_along():
    graph = {
        "1": node("LoadImage", image="x"),
        "2": node("N", gone=1, kept=2, other=3, picture=["4", 0]),
        "3": node("LoadImage", image="second.png"),
        "4": node("ImageScale", image=["3", 0]),
        "9": SAVE,
    }
    type_ = workflow(
        {"name": "a", "kind": "number", "bind": ["2.gone"]},
        {"name": "b", "kind": "number", "bind": [{"node": "2", "input": "kept", "if_empty": "keep"}]},
        {"name": "c", "kind": "number", "bind": [{"node": "2", "input": "other", "empty_value": -1}]},
        {"name": "second", "kind": "image", "bind": [{"node": "3", "input": "image", "drop": ["3", "4"]}]},
        graph=graph,
    )
    empty = bound(type_, {})
    assert empty["2"]["inputs"] == {"kept": 2, "other": -1}
    assert set(empty) == {"1", "2", "9"}
    given_ = bound(type_, {"a": 7, "second": file("s")}, {"s": "J/s.png"})
    assert given_["2"]["inputs"] == {"gone": 7, "kept": 2, "other": -1, "picture": ["4", 0]}
    assert given_["3"]["inputs"]["image"] == "J/s.png"


def test_parts_of_a_size_go_apart():
    type_ = workflow(
        {
            "name": "size",
            "kind": "resolution",
            "bind": [
                {"node": "2", "input": "value", "part": "height"},
                {"node": "1", "input": "image", "part": "width"},
            ],
        }
    )
    graph = bound(type_, {"size": {"width": 640, "height": 360}})
    assert (graph["1"]["inputs"]["image"], graph["2"]["inputs"]["value"]) == (640, 360)


def test_a_graph_that_is_not_there_is_named():
    with pytest.raises(InvalidWorkflow, match=r"sample has no preview\.json; it has workflow\.json"):
        bind(PROMPT, "preview.json", {"prompt": "", "image": None}, files={}, job_id="J")
