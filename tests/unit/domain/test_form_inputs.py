"""Names of form parts and command line inputs, friendly and hostile."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import InvalidInput
from rushes.domain.form_inputs import place, read_text
from tests.unit.domain.manifests import shipped

MULTI = shipped("lipsync-multi").manifest
CAPTION = shipped("character-caption").manifest
IMG2IMG = shipped("img2img").manifest
FILE = {"upload_id": "1"}


def test_texts_are_typed_by_their_fields() -> None:
    read = read_text(IMG2IMG, [("prompt", "007"), ("denoise", "0.5"), ("steps", "12"), ("seed", "")])
    assert read == {"prompt": "007", "denoise": 0.5, "steps": 12, "seed": None}


def test_every_faulty_text_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_text(IMG2IMG, [("denoise", "much"), ("steps", "1.5"), ("prompt", "ok")])
    assert set(caught.value.details["fields"]) == {"denoise", "steps"}


def test_unknown_names_are_left_for_validation_to_name() -> None:
    assert read_text(IMG2IMG, [("promt", "x")]) == {"promt": "x"}


def test_items_of_a_group_come_by_number() -> None:
    inputs: dict[str, Any] = {}
    for name in ("speakers.1.audio", "speakers.0.mask", "speakers.0.audio", "speakers.1.mask"):
        place(MULTI, inputs, name, name)
    assert inputs == {
        "speakers": [
            {"mask": "speakers.0.mask", "audio": "speakers.0.audio"},
            {"mask": "speakers.1.mask", "audio": "speakers.1.audio"},
        ]
    }


def test_files_of_a_list_come_by_repeating_its_name() -> None:
    inputs: dict[str, Any] = {}
    for number in range(3):
        place(CAPTION, inputs, "images", number)
    assert inputs == {"images": [0, 1, 2]}


def test_files_of_a_list_come_by_number_too() -> None:
    inputs: dict[str, Any] = {}
    place(CAPTION, inputs, "images.0", "a")
    place(CAPTION, inputs, "images", "b")
    assert inputs == {"images": ["a", "b"]}


def test_a_group_may_come_as_json_with_files_beside_it() -> None:
    inputs = read_text(MULTI, [("speakers", '[{"x": 1}]')])
    place(MULTI, inputs, "speakers.0.audio", FILE)
    assert inputs == {"speakers": [{"x": 1, "audio": FILE}]}


@pytest.mark.parametrize(
    "name",
    [
        "speakers.999999.x", "speakers.1000.audio", "speakers.-1.audio", "speakers.x.audio", "speakers.0.audio.deep.er",
        "a.b.c.d.e", ".", "..", "", "speakers.", ".audio", "speakers..audio", "a." * 50_000 + "a",
        "speakers." + "9" * 10_000 + ".audio",
    ],
)  # fmt: skip
def test_impossible_names_are_refused_by_name(name: str) -> None:
    inputs: dict[str, Any] = {"speakers": []}
    with pytest.raises(InvalidInput) as caught:
        place(MULTI, inputs, name, FILE)
    assert caught.value.details["field"] in (name, name[:100])
    with pytest.raises(InvalidInput):
        read_text(MULTI, [("speakers", "[]"), (name, "text")])


def test_nothing_grows_inside_of_a_text() -> None:
    inputs: dict[str, Any] = {}
    place(IMG2IMG, inputs, "prompt", "text")
    with pytest.raises(InvalidInput, match=r"prompt\.0"):
        place(IMG2IMG, inputs, "prompt.0", FILE)


def test_a_text_and_files_under_one_name_are_told_apart() -> None:
    with pytest.raises(InvalidInput, match="images"):
        place(CAPTION, {"images": "text"}, "images", FILE)


def test_json_that_is_nested_too_deeply_is_a_fault_of_its_field() -> None:
    with pytest.raises(InvalidInput, match="speakers"):
        read_text(MULTI, [("speakers", "[" * 100_000)])


STEP = st.sampled_from(
    ["speakers", "images", "prompt", "0", "1", "999", "1000", "٣", "²", "audio", "mask", "x", ""]
)


@given(st.lists(st.tuples(st.lists(STEP, max_size=6).map(".".join), st.text(max_size=5)), max_size=12))
def test_any_names_in_any_order_give_json_or_invalid_input(pairs: list[tuple[str, str]]) -> None:
    for manifest in (MULTI, CAPTION, IMG2IMG):
        try:
            inputs = read_text(manifest, pairs)
            for name, _ in pairs:
                place(manifest, inputs, name, FILE)
        except InvalidInput:
            continue  # anything else is a fault
        assert len(json.dumps(inputs)) < 1_000_000
