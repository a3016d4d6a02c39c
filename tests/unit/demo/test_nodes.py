"""What the demo server lists, it can call: every declared input fits the function behind the class."""

import inspect
from typing import Any

import pytest

from rushes.testing.comfyui.definitions import Catalogue, accepts
from rushes.testing.comfyui.generation import VERSIONS, generation, recorded_object_info
from rushes.testing.comfyui.nodes import NODES

LISTED = [
    (version, definition.class_type)
    for version in VERSIONS
    for definition in Catalogue(generation(version), extra_nodes=True)
]


@pytest.mark.parametrize(("version", "class_type"), LISTED)
def test_a_node_takes_what_its_definition_declares(version: str, class_type: str) -> None:
    definition = Catalogue(generation(version), extra_nodes=True)[class_type]
    declared = {name.replace(".", "__"): None for name in definition.inputs({})}
    inspect.signature(NODES[class_type].run).bind(None, **declared)


@pytest.mark.parametrize(("version", "class_type"), LISTED)
def test_a_node_does_without_its_optional_inputs(version: str, class_type: str) -> None:
    definition = Catalogue(generation(version), extra_nodes=True)[class_type]
    required = {one.name.replace(".", "__"): None for one in definition.inputs({}).values() if one.required}
    inspect.signature(NODES[class_type].run).bind(None, **required)


@pytest.mark.parametrize("version", VERSIONS)
def test_definitions_are_the_recorded_ones(version: str) -> None:
    recorded = recorded_object_info(version)
    for definition in Catalogue(generation(version), extra_nodes=False):
        assert definition.raw == recorded[definition.class_type]


def test_every_node_is_known_to_some_version() -> None:
    listed = {class_type for _, class_type in LISTED}
    assert set(NODES) == listed


def test_demo_nodes_are_listed_only_when_asked_for() -> None:
    plain = {definition.class_type for definition in Catalogue(generation("0.33.0"), extra_nodes=False)}
    assert not {class_type for class_type in plain if class_type.startswith("RushesDemo")}


@pytest.mark.parametrize(
    ("received", "wanted", "fits"),
    [
        ("IMAGE", "IMAGE", True),
        ("IMAGE", "MASK", False),
        ("INT", "*", True),
        ("INT", "INT,FLOAT", True),
        ("IMAGE", "COMFY_MATCHTYPE_V3", True),
        ("STRING", ["a", "b"], False),
        (["a"], ["a"], True),
    ],
)
def test_types_of_links(received: Any, wanted: Any, fits: bool) -> None:
    assert accepts(received, wanted) is fits
