from copy import deepcopy

import pytest

from rushes.domain.graph import bind
from rushes.domain.graph_outputs import order_outputs, stored_input_name, stored_name
from rushes.domain.inputs import validate_inputs
from rushes.domain.workflow import parse_workflow
from tests.unit.workflows.shapes import file, manifest, node

GRAPH = {
    "1": node("LoadImage", image="base.png"),
    "5": node("LoadAudio", audio="a.wav"),
    "6": node("Light", base=["1", 0], mask="m.png", sound=["5", 0]),
    "7": node("AudioConcat", audio1=["5", 0], audio2=["5", 0], direction="after"),
    "8": node("Wide", sound=["7", 0], voice_1=["5", 0], last=["6", 0]),
    "9": node("SaveImage", images=["8", 0], filename_prefix="x"),
    "10": node("SaveText", text=["6", 0], filename_prefix="x"),
}
SPEAKERS = parse_workflow(
    "many",
    manifest(
        {
            "name": "speakers",
            "kind": "group",
            "max_items": 4,
            "fields": [
                {"name": "mask", "kind": "mask", "bind": ["6.mask"]},
                {
                    "name": "audio",
                    "kind": "audio",
                    "required": True,
                    "stored_as": "voice",
                    "bind": ["5.audio"],
                },
            ],
        },
        fragments=[
            {
                "graph": "workflow",
                "over": "speakers",
                "nodes": ["5", "6", "10"],
                "join": [{"node": "7", "input": "audio1", "item": "audio2"}],
                "feed": [{"node": "6", "input": "base", "from": "6"}],
                "collect": [{"node": "8", "input": "voice_#", "from": "5"}],
            }
        ],
        outputs=[
            {"name": "image", "kind": "image", "node": "9", "stored_as": "output"},
            {"name": "words", "kind": "text", "node": "10"},
        ],
    ),
    {"workflow.json": GRAPH},
)


def expanded(count: int):
    names = {f"{kind}{index}": f"J/{kind}{index}" for index in range(count) for kind in ("a", "m")}
    raw = {
        "speakers": [
            {"audio": file(f"a{index}", "audio/wav"), "mask": file(f"m{index}")} for index in range(count)
        ]
    }
    inputs = validate_inputs(SPEAKERS.manifest, raw, random_seed=lambda: 1)
    return {
        node_id: one["inputs"]
        for node_id, one in bind(SPEAKERS, "workflow.json", inputs, files=names, job_id="J").items()
    }


def test_one_item_needs_no_join():
    graph = expanded(1)
    assert "7" not in graph
    assert graph["5"] == {"audio": "J/a0"}
    assert graph["6"] == {"base": ["1", 0], "mask": "J/m0", "sound": ["5", 0]}
    assert graph["8"] == {"sound": ["5", 0], "voice_1": ["5", 0], "last": ["6", 0]}


def test_links_stay_within_an_item_and_joins_fold_them():
    graph = expanded(3)
    assert graph["6_3"] == {"base": ["6_2", 0], "mask": "J/m2", "sound": ["5_3", 0]}
    assert graph["6_2"]["base"] == ["6", 0]
    assert graph["7_2"] == {"audio1": ["5", 0], "audio2": ["5_2", 0], "direction": "after"}
    assert graph["7_3"] == {"audio1": ["7_2", 0], "audio2": ["5_3", 0], "direction": "after"}
    assert graph["8"] == {
        "sound": ["7_3", 0],
        "last": ["6_3", 0],
        "voice_1": ["5", 0],
        "voice_2": ["5_2", 0],
        "voice_3": ["5_3", 0],
    }
    assert [graph[one]["filename_prefix"] for one in ("9", "10", "10_2")] == [
        "rushes/J/output",
        "rushes/J/words",
        "rushes/J/words_2",
    ]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_link_of_an_expanded_graph_leads_somewhere_and_the_template_stays(count):
    before = deepcopy(dict(SPEAKERS.graphs))
    graph = expanded(count)
    links = [value for inputs in graph.values() for value in inputs.values() if isinstance(value, list)]
    assert links
    assert all(link[0] in graph for link in links)
    assert SPEAKERS.graphs == before


def test_no_items_leave_no_nodes_and_no_links_to_them():
    assert expanded(0) == {
        "1": {"image": "base.png"},
        "8": {},
        "9": {"images": ["8", 0], "filename_prefix": "rushes/J/output"},
    }


def test_outputs_come_in_the_manifests_order_then_by_item_then_by_node():
    history = ["10_11", "20", "3", "10_2", "10", "9", "7:12", "10_10"]
    found = order_outputs(SPEAKERS.manifest, "workflow.json", history)
    assert [one.node_id for one in found] == ["9", "10", "10_2", "10_10", "10_11", "3", "7:12", "20"]
    assert [one.item for one in found][:3] == [None, 1, 2]
    assert [one.name for one in found][:2] == ["output", "words"]
    assert (found[-2].name, found[-2].declared, found[-2].kind) == ("output_7_12", False, None)


def test_stored_names():
    assert stored_name("output", number=1, count=1, extension="png") == "output.png"
    assert stored_name("output", number=2, count=3, extension="PNG") == "output_2.png"
    assert stored_name("output", number=2, count=3, extension="mp4", attempt=2) == "output_2-2.mp4"
    assert stored_name("output", number=1, count=1, extension="../x") == "output.x"
    assert stored_input_name(SPEAKERS.manifest, ("speakers", 1, "audio"), "wav") == "voice_2.wav"
    assert stored_input_name(SPEAKERS.manifest, ("speakers", 0, "mask"), "") == "mask_1"
