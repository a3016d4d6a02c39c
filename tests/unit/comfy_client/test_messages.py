"""JSON from ComfyUI, made fit for Postgres."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.adapters.comfyui.messages import clean, parse_json


def test_numbers_that_json_does_not_know_become_null() -> None:
    assert parse_json(b'{"a": [NaN, Infinity, -Infinity, 1e999, -1e999, 1.5, 10]}') == {
        "a": [None, None, None, None, None, 1.5, 10]
    }


def test_what_postgres_refuses_is_replaced_and_emoji_stay() -> None:
    said = parse_json(rb'{"te\u0000xt": ["a\u0000b \ud83d\ude00 \ud800 \uDC00c"], "n": NaN}')
    assert said == {"te\ufffdxt": ["a\ufffdb 😀 \ufffd \ufffdc"], "n": None}


def test_raw_control_characters_and_broken_utf8_are_borne() -> None:
    assert parse_json(b'["a\x00\tb\xff"]') == ["a\ufffd\tb\ufffd"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[" * 100_000, b"1" * 5000])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own wording is not ours to pin
        parse_json(body)


_any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec=None, exclude_categories=())), inner, max_size=4)
    ),
    max_leaves=12,
)


def acceptable(value: Any) -> bool:
    match value:
        case str():
            value.encode()  # raises for a lone surrogate
            return "\x00" not in value
        case float():
            return math.isfinite(value)
        case dict():
            return all(acceptable(key) and acceptable(item) for key, item in value.items())
        case list():
            return all(map(acceptable, value))
    return True


@given(_any)
def test_whatever_comes_postgres_takes_it(tree: Any) -> None:
    assert acceptable(parse_json(json.dumps(tree)))
    assert acceptable(clean(tree))


@given(_any)
def test_what_is_acceptable_stays_as_it_is(tree: Any) -> None:
    tidy = clean(tree)
    assert parse_json(json.dumps(tidy)) == tidy == clean(tidy)
