import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rushes.domain.errors import InvalidInput
from rushes.domain.input_values import coerce_text
from rushes.domain.inputs import file_fields, validate_inputs
from rushes.domain.workflow import prompt_text
from tests.unit.workflows.shapes import file, workflow


def validated(field: dict, *values: object, seed: int = 99):
    type_ = workflow({"name": "x", **field})
    raw = {"x": values[0]} if values else {}
    return validate_inputs(type_.manifest, raw, random_seed=lambda: seed)["x"]


def fault(field: dict, *values: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        validated(field, *values)
    assert caught.value.details["field"].split(".")[0] == "x"
    return str(caught.value.details["fields"][caught.value.details["field"]])


SIZE = {"kind": "integer", "min": 256, "max": 1280, "step": 32, "default": 360}


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (SIZE, 640, 640),
        (SIZE, 640.0, 640),
        (SIZE, None, 360),
        (SIZE, 360, 360),
        ({"kind": "number", "min": 0, "max": 1, "step": 0.01}, 0.87, 0.87),
        ({"kind": "number"}, 3, 3),
        ({"kind": "boolean"}, False, False),
        ({"kind": "boolean", "default": True}, None, True),
        ({"kind": "select", "options": ["a", {"value": 2, "label": "two"}]}, 2, 2),
        ({"kind": "select", "options_from": {"node_class": "K", "input": "s"}}, "euler", "euler"),
        ({"kind": "seed"}, 2**64 - 1, 2**64 - 1),
        ({"kind": "seed"}, None, 99),
        ({"kind": "seed"}, "", 99),
        ({"kind": "duration"}, "1:02.5", 62.5),
        ({"kind": "duration"}, "1:00:01", 3601.0),
        ({"kind": "duration"}, 7, 7.0),
        ({"kind": "duration"}, "", None),
        ({"kind": "duration", "default": "0:00"}, None, 0.0),
        ({"kind": "resolution", "step": 8}, {"width": 640, "height": 360}, {"width": 640, "height": 360}),
        ({"kind": "text"}, "", ""),
        ({"kind": "text", "default": "d"}, "", ""),
        ({"kind": "text", "default": "d"}, None, "d"),
    ],
)
def test_values_are_normalised(field, value, expected):
    result = validated(field, value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        (SIZE, "640", 'should be a whole number, not the text "640"'),
        (SIZE, True, "should be a whole number, not true"),
        (SIZE, 640.5, "multiple of 32"),
        ({"kind": "integer"}, 640.5, "should be a whole number"),
        (SIZE, 255, "from 256 to 1280"),
        (SIZE, 1281, "from 256 to 1280"),
        (SIZE, 650, "multiple of 32, not 650 (try 640 or 672)"),
        (SIZE, 10**400, "a number that large"),
        ({"kind": "integer"}, 2**63, "from -9223372036854775808"),
        ({"kind": "number"}, float("nan"), "finite"),
        ({"kind": "number"}, float("inf"), "finite"),
        ({"kind": "number", "step": 0.01}, 0.875, "multiple of 0.01"),
        ({"kind": "number"}, [1], "not a list"),
        ({"kind": "boolean"}, 1, "true or false"),
        ({"kind": "boolean"}, "true", "true or false"),
        ({"kind": "select", "options": ["a", "b"]}, "c", "one of a, b"),
        ({"kind": "select", "options": [1]}, True, "one of 1"),
        ({"kind": "text", "max_length": 3}, "four", "4 characters long; at most 3"),
        ({"kind": "text"}, "a" * 100_001, "at most 100,000"),
        ({"kind": "text"}, "a\x00b", "NUL"),
        ({"kind": "string"}, "a\ud83d", "surrogate"),
        ({"kind": "text"}, 5, "should be a text"),
        ({"kind": "text", "required": True}, "", "is required: give x"),
        ({"kind": "image", "required": True}, None, "is required: upload an image"),
        ({"kind": "seed"}, -1, "from 0 to"),
        ({"kind": "duration"}, "1:75", '"m:ss"'),
        ({"kind": "duration"}, "soon", '"m:ss"'),
        ({"kind": "duration"}, -1, "at least 0"),
        ({"kind": "resolution", "step": 8}, {"width": 641, "height": 360}, "width should be a multiple"),
        ({"kind": "resolution"}, {"width": 641}, "should be an object"),
        ({"kind": "image"}, "a.png", "upload_id"),
        ({"kind": "image"}, {"upload_id": "u"}, "upload_id"),
        ({"kind": "image"}, file(content_type="image/svg+xml"), "is image/svg+xml; accepted are image/png"),
        ({"kind": "audio"}, file(content_type="image/png"), "accepted are audio/*"),
        ({"kind": "image"}, file(size_bytes=0), "empty file"),
        ({"kind": "image", "max_bytes": 2_000_000}, file(size_bytes=3_000_000), "3.0 MB; at most 2.0 MB"),
        ({"kind": "image_list", "required": True, "max_items": 2}, [], "has 0 items; give 1 to 2"),
        ({"kind": "image_list", "required": True, "max_items": 2}, [file()] * 3, "has 3 items"),
        ({"kind": "image_list", "required": True}, file(), "should be a list"),
    ],
)
def test_every_fault_says_what_to_do(field, value, says):
    assert says in fault(field, value)


def test_all_faults_are_named_and_unknown_inputs_get_the_nearest_name():
    type_ = workflow({"name": "width", **SIZE}, {"name": "prompt", "kind": "text", "required": True})
    with pytest.raises(InvalidInput) as caught:
        validate_inputs(type_.manifest, {"widht": 640, "width": "x"}, random_seed=lambda: 1)
    faults = caught.value.details["fields"]
    assert set(faults) == {"widht", "width", "prompt"}
    assert "did you mean width?" in faults["widht"]


@pytest.mark.parametrize("raw", [None, [], "x", 3])
def test_inputs_must_be_an_object(raw):
    with pytest.raises(InvalidInput, match="should be an object"):
        validate_inputs(workflow().manifest, raw, random_seed=lambda: 1)


GROUP = {
    "name": "speakers",
    "kind": "group",
    "required": True,
    "max_items": 2,
    "fields": [
        {"name": "mask", "kind": "mask"},
        {"name": "audio", "kind": "audio", "required": True},
        {"name": "words", "kind": "text"},
    ],
}


def test_faults_inside_lists_name_the_item():
    type_ = workflow(GROUP)
    raw = {"speakers": [{"audio": file(content_type="audio/wav")}, {"audoi": 1}]}
    with pytest.raises(InvalidInput) as caught:
        validate_inputs(type_.manifest, raw, random_seed=lambda: 1)
    assert set(caught.value.details["fields"]) == {"speakers.1.audoi", "speakers.1.audio"}


def test_file_fields_are_found_wherever_they_are():
    type_ = workflow(GROUP, {"name": "images", "kind": "image_list"}, {"name": "image", "kind": "image"})
    raw = {
        "image": {"upload_id": "1"},
        "images": [{"upload_id": "2"}, {"upload_id": "3"}],
        "speakers": [{"audio": {"upload_id": "4"}}, "nonsense", {"mask": None}],
    }
    paths = [path for path, _ in file_fields(type_.manifest, raw)]
    assert paths == [("speakers", 0, "audio"), ("images", 0), ("images", 1), ("image",)]
    assert file_fields(type_.manifest, "nonsense") == []


def test_prompt_text_is_what_the_declared_prompts_say():
    type_ = workflow(
        GROUP,
        {"name": "prompt", "kind": "text"},
        {"name": "negative", "kind": "text", "prompt": False},
        {"name": "trigger", "kind": "string"},
    )
    inputs = {
        "prompt": "a fox",
        "negative": "fog",
        "trigger": "t",
        "speakers": [{"words": "hello"}, {"words": ""}],
    }
    assert prompt_text(type_.manifest, inputs) == "hello\na fox"


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ({"kind": "integer"}, " 640 ", 640),
        ({"kind": "number"}, "0.5", 0.5),
        ({"kind": "boolean"}, "Yes", True),
        ({"kind": "boolean"}, "0", False),
        ({"kind": "seed"}, "", None),
        ({"kind": "select", "options": [1, "b"]}, "1", 1),
        ({"kind": "resolution"}, "640x360", {"width": 640, "height": 360}),
        ({"kind": "text"}, "  as it is ", "  as it is "),
        ({"kind": "duration"}, "0:10", "0:10"),
        ({"kind": "group", "fields": [{"name": "a", "kind": "text"}]}, '[{"a": "b"}]', [{"a": "b"}]),
    ],
)
def test_texts_from_a_command_line_become_values(field, text, value):
    made = workflow({"name": "x", **field}).manifest.inputs[0]
    assert coerce_text(made, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "6.5"),
        ("number", "many"),
        ("boolean", "perhaps"),
        ("image", "a.png"),
        ("resolution", "640"),
    ],
)
def test_texts_that_are_no_values_are_refused(kind, text):
    made = workflow({"name": "x", "kind": kind}).manifest.inputs[0]
    with pytest.raises(InvalidInput) as caught:
        coerce_text(made, text)
    assert caught.value.details["field"] == "x"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
EVERYTHING = workflow(
    GROUP,
    {"name": "width", **SIZE},
    {"name": "seed", "kind": "seed"},
    {"name": "size", "kind": "resolution"},
    {"name": "at", "kind": "duration"},
    {"name": "pick", "kind": "select", "options": ["a", 1, True]},
    {"name": "image", "kind": "image"},
    {"name": "images", "kind": "image_list"},
    {"name": "on", "kind": "boolean"},
)


@given(raw=st.dictionaries(st.sampled_from([field.name for field in EVERYTHING.manifest.inputs]), JSON))
@settings(max_examples=150, deadline=None)
def test_whatever_is_sent_is_validated_or_refused_in_words(raw):
    faults, values = {"x": "none"}, {}
    try:
        values = validate_inputs(EVERYTHING.manifest, raw, random_seed=lambda: 5)
    except InvalidInput as error:
        faults = error.details["fields"]
    assert all(faults.values())
    json.dumps(values, allow_nan=False)
