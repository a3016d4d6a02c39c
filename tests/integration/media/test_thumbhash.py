"""The encoder against hashes that the reference implementation made of the same pixels."""

import base64
import random

import pytest

from rushes.adapters.media.thumbhash import encode

REFERENCE = [
    (1, 1, False, "AAgCBwAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    (1, 50, False, "yhkVeTwIh3iIhoZ5CId3j4g="),
    (1, 50, True, "C/qUiUJECIeIeHgIh3iPeAj3hIuId4g="),
    (50, 1, True, "yemWcbh3aIiIiHBoiICGCISHiIiwePg="),
    (24, 32, False, "18cJHRRgdnOICIiIiIdXqPmuE6f4"),
    (100, 100, True, "3veBBQIINQSWl6UpRwXLJeDIhWOYqAh4hg=="),
    (3, 100, False, "TxgFOQJwomiHhXZWj00n6Pg="),
    (64, 64, False, "3fcFDwokoEd1d3d0h0iHOIdxjMBtA4oM"),
    (64, 64, True, "3feFDQYXNbCXiINJSATdMsCaeXR1gFh4hw=="),
]


def pattern(width: int, height: int, *, alpha: bool) -> bytes:
    return bytes(
        value
        for y in range(height)
        for x in range(width)
        for value in (x * 7 % 256, y * 11 % 256, x * y % 256, (x * 5 + y * 3) % 256 if alpha else 255)
    )


@pytest.mark.parametrize(("width", "height", "alpha", "expected"), REFERENCE)
def test_reference(width, height, alpha, expected):
    assert base64.b64encode(encode(width, height, pattern(width, height, alpha=alpha))).decode() == expected


def test_reference_of_noise():
    pixels = random.Random(5).randbytes(37 * 23 * 4)
    assert base64.b64encode(encode(37, 23, pixels)).decode() == "H/iBC4AInKeAO1hHlk9xC/u1vEjQXFk="


def test_one_clear_pixel():
    assert len(encode(1, 1, bytes(4))) > 5
