"""Words without addresses."""

import pytest

from rushes.domain.hiding import public_name, without_address, without_addresses

PLACES = [
    "http://gpu-1:8188",
    "https://user@gpu.example.com/comfy",
    "http://[::1]:8188",
    "http://10.1.2.3:8188",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "words",
    [
        "{} stopped answering in the middle of a request.",
        "Nothing answers at {} (connection refused). Is ComfyUI running there?",
        "The proxy at {} can't reach ComfyUI (502).",
        "{}: gone.",
    ],
)
def test_no_address_is_left(place: str, words: str):
    for told in (without_addresses(words.format(place)), without_address(words.format(place), place)):
        assert told == words.format("The ComfyUI server" if words[0] == "{" else "the ComfyUI server")


def test_addresses_that_the_system_names():
    told = without_addresses("Can't connect to http://gpu:8188: Connect call failed ('10.0.0.5', 8188).")
    assert told == "Can't connect to the ComfyUI server: Connect call failed the ComfyUI server."


def test_what_a_person_has_asked_for_stays():
    url = "http://gpu-1.internal:8188"
    told = without_address(
        "LoadURL on gpu-1.internal: https://example.org/a.png isn't there (127.0.0.1 is).", url
    )
    assert told == "LoadURL on the ComfyUI server: https://example.org/a.png isn't there (127.0.0.1 is)."


@pytest.mark.parametrize("name", ["http://gpu:8188", "gpu:8188", "10.0.0.5", "10.0.0.5:8188"])
def test_an_address_is_no_name(name: str):
    assert public_name(name) == "a ComfyUI server"


@pytest.mark.parametrize("name", ["left", "gpu-1", "Anna's 4090", "4090: the new one"])
def test_a_name_is_one(name: str):
    assert public_name(name) == name
