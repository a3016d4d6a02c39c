from typing import Any

import pytest

from rushes.domain.check import check_graph, check_workflow
from rushes.domain.requirements import ModelFile, requirements
from tests.unit.workflows.shapes import SAVE, node, workflow

INFO: dict[str, Any] = {
    "LoadImage": {
        "input": {"required": {"image": [["x.png"], {"image_upload": True}]}},
        "output": ["IMAGE", "MASK"],
    },
    "LoadAudio": {
        "input": {"required": {"audio": ["COMBO", {"options": [], "audio_upload": True}]}},
        "output": ["AUDIO"],
    },
    "ImageScale": {
        "input": {
            "required": {
                "image": ["IMAGE"],
                "method": [["area", "lanczos"]],
                "width": ["INT", {"min": 0, "max": 4096}],
                "strength": ["FLOAT", {"min": 0.0, "max": 1.0}],
            },
            "optional": {"note": ["STRING", {}], "on": ["BOOLEAN"], "mask": ["MASK"]},
        },
        "output": ["IMAGE"],
    },
    "Loader": {"input": {"required": {"name": [["have.safetensors"]]}}, "output": ["MODEL"]},
    "Dynamic": {
        "input": {
            "required": {
                "mode": [
                    "COMFY_DYNAMICCOMBO_V3",
                    {
                        "options": [
                            {"key": "off", "inputs": {}},
                            {"key": "on", "inputs": {"required": {"level": ["INT", {"max": 5}]}}},
                        ]
                    },
                ],
                "images": [
                    "COMFY_AUTOGROW_V3",
                    {
                        "template": {
                            "input": {"required": {"image": ["IMAGE", {}]}},
                            "prefix": "image",
                            "min": 1,
                            "max": 50,
                        }
                    },
                ],
            }
        },
        "output": ["*"],
    },
    "SaveImage": {
        "input": {"required": {"images": ["IMAGE"], "filename_prefix": ["STRING", {}]}},
        "output": [],
        "output_node": True,
    },
}
SCALE = {"image": ["1", 0], "method": "area", "width": 64, "strength": 0.5}


def found(graph: dict) -> list[str]:
    return [
        str(one) for one in check_graph({"1": node("LoadImage", image="any.png"), "9": SAVE, **graph}, INFO)
    ]


def test_a_sound_graph_has_no_problems():
    grown = node(
        "Dynamic", **{"mode": "on", "mode.level": 3, "images.image0": ["1", 0], "images.image7": ["2", 0]}
    )
    assert found({"2": node("ImageScale", **SCALE, note="", unknown=5), "3": grown}) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"width": "64"}, "width wants INT, not '64'"),
        ({"width": True}, "width wants INT, not True"),
        ({"width": 5000}, "width is 5000, but may be 0 to 4096"),
        ({"strength": -0.1}, "strength is -0.1"),
        ({"method": "cubic"}, "method is 'cubic', which is not one of area, lanczos"),
        ({"image": "x.png"}, "image wants a link to IMAGE"),
        ({"image": ["7", 0]}, "image is linked to node 7, which is not there"),
        ({"image": ["1", 2]}, "image is linked to output 2 of node 1, which has 2"),
        ({"image": ["1", 1]}, "image wants IMAGE, but output 1 of node 1 gives MASK"),
        ({"on": 1}, "on wants BOOLEAN"),
    ],
)
def test_a_wrong_value_or_link_is_named(change, says):
    assert says in "\n".join(found({"2": node("ImageScale", **(SCALE | change))}))


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"mode": "on"}, "the required input mode.level is missing"),
        ({"mode": "on", "mode.level": 6}, "mode.level is 6"),
        ({"mode": "maybe"}, "mode is 'maybe'"),
        ({"mode": "off", "images.image0": ["8", 0]}, "images.image0 is linked to node 8"),
    ],
)
def test_inputs_that_depend_on_a_choice_are_looked_at(inputs, says):
    assert says in "\n".join(found({"2": node("Dynamic", **inputs)}))


def test_missing_inputs_unknown_classes_and_no_output_are_errors():
    assert any(
        "the required input width is missing" in one
        for one in found({"2": node("ImageScale", image=["1", 0])})
    )
    assert any(
        "no node class ImageScal (did you mean ImageScale?)" in one for one in found({"2": node("ImageScal")})
    )
    assert "no output node" in str(check_graph({"1": node("LoadImage", image="x")}, INFO))


def levels(type_) -> list[tuple[str, str]]:
    return [(one.level, one.message) for one in check_workflow(type_, INFO) if one.graph == "workflow.json"]


def scaled(field: dict, **more):
    graph = {"1": node("LoadImage", image="x"), "2": node("ImageScale", **SCALE), "9": SAVE, **more}
    return workflow({"name": "x", **field}, graph=graph)


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ({"kind": "integer", "bind": ["2.width"]}, "takes 0 and more"),
        ({"kind": "integer", "min": 0, "max": 9999, "bind": ["2.width"]}, "takes at most 4096"),
        ({"kind": "number", "min": 0, "max": 1, "bind": ["2.width"]}, "is INT, which a number doesn't fit"),
        ({"kind": "text", "bind": ["2.strength"]}, "is FLOAT, which a text doesn't fit"),
        ({"kind": "select", "options": ["area", "cubic"], "bind": ["2.method"]}, "has no option cubic"),
        ({"kind": "audio", "bind": ["1.image"]}, "takes no uploaded audio"),
        ({"kind": "integer", "bind": ["2.heigth"]}, "ImageScale has no input heigth"),
    ],
)
def test_an_input_that_does_not_fit_its_node_is_an_error(field, says):
    assert any(level == "error" and says in message for level, message in levels(scaled(field)))


def test_values_are_tried_at_both_ends():
    type_ = workflow(
        {"name": "x", "kind": "integer", "min": 1, "max": 400, "default": 1},
        graph={"1": node("LoadImage", image="x"), "2": node("ImageScale", **SCALE), "9": SAVE},
        derived=[{"name": "frames", "transform": "frames", "seconds": "x", "fps": 25, "bind": ["2.width"]}],
    )
    assert any("width is 10000, but may be 0 to 4096" in message for _, message in levels(type_))


def test_an_input_that_goes_nowhere_is_a_warning_and_outputs_must_save():
    assert ("warning", "the input x goes nowhere in this graph") in levels(scaled({"kind": "text"}))
    type_ = workflow(
        graph={
            "1": node("LoadImage", image="x"),
            "9": node("ImageScale", **SCALE),
            "8": SAVE | {"inputs": {"images": ["1", 0], "filename_prefix": ""}},
        }
    )
    assert any("ImageScale saves nothing" in message for _, message in levels(type_))


def test_a_named_custom_package_is_not_proved_rather_than_wrong():
    graph = {"1": node("LoadImage", image="x"), "5": node("Magic", a=1), "9": SAVE}
    wrong = levels(workflow(graph=graph))
    assert [level for level, _ in wrong] == ["error"]
    named = levels(workflow(graph=graph, requires=[{"package": "Wizardry", "classes": ["Magic"]}]))
    assert [level for level, _ in named] == ["not_proved"]
    assert "Wizardry: Magic" in named[0][1]


def test_requirements_name_classes_and_model_files():
    graph = {
        "1": node("Loader", name="have.safetensors"),
        "2": node("Loader", name="sub\\missing.gguf"),
        "3": node("SaveImage", images=["1", 0], filename_prefix="not.a.model.pt"),
        "4": node("Custom", file="x.ckpt"),
    }
    needs = requirements(graph, INFO)
    assert needs.classes == {"Loader", "SaveImage", "Custom"}
    assert {one.name for one in needs.models} == {"have.safetensors", "sub\\missing.gguf", "x.ckpt"}
    missing = needs.missing_on(INFO)
    assert missing.classes == {"Custom"}
    assert missing.models == {ModelFile("Loader", "name", "sub\\missing.gguf")}
    assert not requirements({"1": graph["1"]}).missing_on(INFO)
