import pytest
from jsonschema import Draft202012Validator

from rushes.domain.errors import InvalidInput
from rushes.domain.inputs import validate_inputs
from rushes.domain.schema import json_schema
from tests.unit.workflows.shapes import file, workflow

FIELDS = [
    {"name": "prompt", "kind": "text", "required": True, "order": 2, "help": "Say it.", "max_length": 9},
    {"name": "width", "kind": "integer", "min": 64, "max": 640, "step": 32, "default": 360, "order": 1},
    {"name": "denoise", "kind": "number", "min": 0, "max": 1, "step": 0.01, "default": 0.87, "order": 3},
    {"name": "start", "kind": "duration", "default": "0:00", "order": 4},
    {
        "name": "mode",
        "kind": "select",
        "options": ["a", {"value": "b", "label": "B"}],
        "default": "a",
        "order": 5,
    },
    {"name": "seed", "kind": "seed", "advanced": True, "group": "G", "order": 6},
    {"name": "size", "kind": "resolution", "step": 8, "order": 7},
    {"name": "image", "kind": "image", "required": True, "max_bytes": 5, "order": 8},
    {"name": "sound", "kind": "audio", "order": 9},
    {"name": "on", "kind": "boolean", "order": 10},
    {"name": "pictures", "kind": "image_list", "required": True, "max_items": 2, "order": 11},
    {
        "name": "people",
        "kind": "group",
        "max_items": 2,
        "order": 12,
        "fields": [{"name": "mask", "kind": "mask", "required": True}],
    },
]
TYPE = workflow(*FIELDS)
SCHEMA = json_schema(TYPE)
VALIDATOR = Draft202012Validator(SCHEMA)
GOOD = {"prompt": "a fox", "image": file(size_bytes=1), "pictures": [file()]}


def test_it_is_a_json_schema_in_the_manifests_order():
    Draft202012Validator.check_schema(SCHEMA)
    assert list(SCHEMA["properties"])[:2] == ["width", "prompt"]
    assert SCHEMA["required"] == ["prompt", "image", "pictures"]
    assert SCHEMA["additionalProperties"] is False


def test_forms_find_their_hints():
    seed, image, mode = (SCHEMA["properties"][name] for name in ("seed", "image", "mode"))
    assert (seed["x-kind"], seed["x-advanced"], seed["x-group"], seed["x-order"]) == ("seed", True, "G", 6)
    assert (image["x-max-bytes"], image["x-accepts"][0]) == (5, "image/png")
    assert mode["x-options"] == [{"value": "a", "label": "a"}, {"value": "b", "label": "B"}]
    assert SCHEMA["properties"]["denoise"]["x-step"] == 0.01
    assert SCHEMA["properties"]["prompt"]["description"] == "Say it."
    assert SCHEMA["x-workflow-type"] == "sample"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"width": 640, "denoise": 1, "start": "1:02.5", "mode": "b", "seed": 3, "on": True},
        {"width": 360, "start": 12.5, "seed": None, "sound": None, "size": {"width": 64, "height": 8}},
        {"people": [{"mask": file()}], "sound": file(content_type="audio/wav")},
    ],
)
def test_what_the_schema_takes_validation_takes(more):
    VALIDATOR.validate(GOOD | more)
    validate_inputs(TYPE.manifest, GOOD | more, random_seed=lambda: 1)


@pytest.mark.parametrize(
    "more",
    [
        {"width": 650},
        {"width": "640"},
        {"width": 32},
        {"denoise": 1.5},
        {"start": "1:75"},
        {"start": -1},
        {"mode": "c"},
        {"on": 1},
        {"seed": -1},
        {"size": {"width": 64}},
        {"size": {"width": 64, "height": 9}},
        {"prompt": ""},
        {"prompt": "0123456789"},
        {"pictures": []},
        {"pictures": [file()] * 3},
        {"people": [{}]},
        {"people": [{"mask": file(), "more": 1}]},
        {"image": {}},
        {"unknown": 1},
    ],
)
def test_what_the_schema_refuses_validation_refuses(more):
    assert not VALIDATOR.is_valid(GOOD | more)
    with pytest.raises(InvalidInput):
        validate_inputs(TYPE.manifest, GOOD | more, random_seed=lambda: 1)


def test_defaults_are_valid():
    defaults = {name: one["default"] for name, one in SCHEMA["properties"].items() if "default" in one}
    assert defaults
    VALIDATOR.validate(GOOD | defaults)
