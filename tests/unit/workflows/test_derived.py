import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from rushes.domain.derived import Derived
from rushes.domain.deriving import derive
from rushes.domain.errors import InvalidInput
from rushes.domain.fields import clock, parse_clock

DECLARED = TypeAdapter(list[Derived])


def values(inputs: dict, *declared: dict, graph: str | None = None):
    return derive(DECLARED.validate_python(declared), inputs, graph)


LENGTH = {"name": "s", "transform": "length", "of": "audio", "start": "a", "end": "b"}


@pytest.mark.parametrize(
    ("start", "end", "seconds"), [(0, None, 10), (2.5, None, 7.5), (2, 5, 3), (0, 99, 10), (None, 4, 4)]
)
def test_length_is_what_is_left_between_start_and_end(start, end, seconds):
    inputs = {"audio": {"duration_seconds": 10.0}, "a": start, "b": end}
    assert values(inputs, LENGTH) == {"s": seconds}


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ({"audio": {"duration_seconds": 10.0}, "a": 10, "b": None}, "a"),
        ({"audio": {"duration_seconds": 10.0}, "a": 5, "b": 5}, "b"),
        ({"audio": {"duration_seconds": None}, "a": 0, "b": None}, "audio"),
        ({"audio": {}, "a": 0, "b": None}, "audio"),
    ],
)
def test_impossible_lengths_name_the_input(inputs, field):
    with pytest.raises(InvalidInput) as caught:
        values(inputs, LENGTH)
    assert caught.value.details["field"] == field


@pytest.mark.parametrize(
    ("seconds", "more", "frames"),
    [
        (2, {}, 50),
        (2.0000000001, {}, 50),
        (2.01, {}, 51),
        (0.001, {}, 1),
        (5, {"fps": 24, "multiple": 4, "plus": 1}, 121),
        (1, {"multiple": 72, "plus": 9, "min": 81}, 81),
        (3.25, {"multiple": 72, "plus": 9, "min": 81}, 153),
    ],
)
def test_frames_are_rounded_up_to_the_form_asked_for(seconds, more, frames):
    assert values(
        {"t": seconds}, {"name": "f", "transform": "frames", "seconds": "t", "fps": 25, **more}
    ) == {"f": frames}


def test_too_many_frames_are_refused_with_the_longest_time():
    with pytest.raises(InvalidInput, match=r"t: is too long: 4,097 frames, and at most 4,096 \(2:43\.84\)"):
        values({"t": 163.85}, {"name": "f", "transform": "frames", "seconds": "t", "fps": 25, "max": 4096})


def test_a_sound_that_is_too_long_is_named_itself():
    frames = {"name": "f", "transform": "frames", "seconds": "s", "fps": 25, "max": 9}
    with pytest.raises(InvalidInput) as caught:
        values({"audio": {"duration_seconds": 10.0}, "a": 0, "b": None}, LENGTH, frames)
    assert caught.value.details["field"] == "audio"


@given(st.lists(st.floats(0.05, 200), min_size=1, max_size=4))
def test_shares_of_frames_add_up_to_the_whole(lengths):
    inputs = {"people": [{"audio": {"duration_seconds": one}} for one in lengths]}
    made = values(
        inputs,
        {"name": "total", "transform": "length", "of": "people.audio"},
        {"name": "all", "transform": "frames", "seconds": "total", "fps": 25},
        {"name": "each_s", "each": "people", "transform": "length", "of": "people.audio"},
        {"name": "each_f", "each": "people", "transform": "frames", "seconds": "each_s", "fps": 25},
        {"name": "twice", "each": "people", "transform": "divide", "value": "each_f", "by": 2},
    )
    assert made["each_s"] == pytest.approx(lengths)
    assert sum(made["each_f"]) == made["all"]
    assert made["twice"] == [-(-one // 2) for one in made["each_f"]]


@given(st.integers(1, 20_000))
def test_repeating_twice_misses_no_frame_and_adds_hardly_any(frames):
    made = values(
        {"n": frames},
        {"name": "b", "transform": "divide", "value": "n", "by": 4096},
        {"name": "a", "transform": "divide", "value": "n", "by": "b"},
    )
    assert made["a"] <= 4096
    assert 0 <= made["a"] * made["b"] - frames < made["b"]


@given(st.integers(1, 5_000))
def test_windows_keep_exactly_the_frames_asked_for(frames):
    made = values(
        {"n": frames},
        {"name": "w", "transform": "divide", "value": "n", "minus": 9, "by": 72},
        {"name": "kept", "transform": "split", "value": "n", "each": "w", "first": 81, "size": 72},
    )
    assert sum(made["kept"]) == frames
    assert all(one <= 81 for one in made["kept"])


def test_loops_use_the_frame_rate_where_it_is_known():
    loops = {"name": "l", "transform": "loops", "of": "v", "frames": "n"}
    assert values({"v": {"duration_seconds": 4.0, "fps": 30.0}, "n": 250}, loops) == {"l": 3}
    assert values({"v": {"duration_seconds": 4.0}, "n": 250}, loops) == {"l": 6}


def test_switches_texts_counts_and_clocks():
    inputs = {"on": True, "mode": "b", "word": "fox", "empty": "", "people": [1, 2], "t": 62.5}
    made = values(
        inputs,
        {"name": "n", "transform": "count", "of": "people"},
        {"name": "c", "transform": "clock", "seconds": "t"},
        {"name": "pick", "transform": "switch", "on": "on", "cases": {"true": {"from": "n"}, "false": 0}},
        {"name": "mapped", "transform": "switch", "on": "mode", "cases": {"a": "x"}, "otherwise": "y"},
        {
            "name": "said",
            "transform": "text",
            "separator": " ",
            "parts": [
                "a",
                {"from": "word"},
                {"from": "empty"},
                {"text": "!", "when": "mode", "equals": "b"},
                {"text": "no", "when": "empty"},
            ],
        },
    )
    assert made == {"n": 2, "c": "1:02.5", "pick": 2, "mapped": "y", "said": "a fox !"}


def test_values_of_one_graph_are_worked_out_for_it_only():
    limited = {"name": "f", "graph": "preview", "transform": "frames", "seconds": "t", "fps": 1, "max": 1}
    assert values({"t": 5}, limited) == {}
    assert values({"t": 5}, limited, graph="workflow") == {}
    with pytest.raises(InvalidInput):
        values({"t": 5}, limited, graph="preview")


@given(st.integers(0, 5_000_000))
def test_clocks_read_back(milliseconds):
    assert parse_clock(clock(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@pytest.mark.parametrize(
    "text", ["", "1:60", "1:2:3:4", "-1", "1:-2", "nan", "1e3", "٣:٠٥", "1:99:00", "1:20\n\n:3"]
)
def test_what_is_no_clock_is_none(text):
    assert parse_clock(text) is None
