"""ThumbHash: some 25 bytes that a page turns into a blurred placeholder (evanw.github.io/thumbhash)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, floor, pi

MAX_SIDE = 100  # the algorithm's limit, in pixels


@dataclass(frozen=True, slots=True)
class _Channel:
    dc: float
    ac: list[float]  # 0 … 1
    scale: float


def encode(width: int, height: int, rgba: bytes) -> bytes:
    """The ThumbHash of unpremultiplied RGBA pixels, at most 100 × 100."""
    luminance, yellow_blue, red_green, alpha = _planes(rgba)
    has_alpha = any(value < 1 for value in alpha)
    limit = 5 if has_alpha else 7  # fewer luminance terms make room for alpha
    nx = max(1, _round(limit * width / max(width, height)))
    ny = max(1, _round(limit * height / max(width, height)))
    bases = _bases(width, 7), _bases(height, 7)
    lightness = _dct(luminance, max(3, nx), max(3, ny), *bases)
    p = _dct(yellow_blue, 3, 3, *bases)
    q = _dct(red_green, 3, 3, *bases)
    channels = [lightness, p, q]
    shape = (ny if width > height else nx) | (width > height) << 15
    constants = _constants(lightness, p, q) | has_alpha << 23 | shape << 24
    head = bytearray(constants.to_bytes(5, "little"))
    if has_alpha:
        a = _dct(alpha, 5, 5, *bases)
        channels.append(a)
        head.append(_round(15 * a.dc) | _round(15 * a.scale) << 4)
    return bytes(head) + _nibbles([term for channel in channels for term in channel.ac])


def _planes(rgba: bytes) -> tuple[list[float], list[float], list[float], list[float]]:
    """Luminance, yellow-blue, red-green and alpha, composited atop the average colour."""
    alpha = [value / 255 for value in rgba[3::4]]
    colours = [[value / 255 for value in rgba[offset::4]] for offset in range(3)]
    weight = sum(alpha) or 1.0
    r, g, b = (_composite(plane, alpha, weight) for plane in colours)
    luminance = [(x + y + z) / 3 for x, y, z in zip(r, g, b, strict=True)]
    yellow_blue = [(x + y) / 2 - z for x, y, z in zip(r, g, b, strict=True)]
    red_green = [x - y for x, y in zip(r, g, strict=True)]
    return luminance, yellow_blue, red_green, alpha


def _composite(plane: list[float], alpha: list[float], weight: float) -> list[float]:
    average = sum(value * a for value, a in zip(plane, alpha, strict=True)) / weight
    return [average * (1 - a) + a * value for value, a in zip(plane, alpha, strict=True)]


def _bases(size: int, count: int) -> list[list[float]]:
    return [[cos(pi / size * c * (x + 0.5)) for x in range(size)] for c in range(count)]


def _dct(
    plane: Sequence[float], nx: int, ny: int, across: list[list[float]], down: list[list[float]]
) -> _Channel:
    """The low frequencies, in the hash's triangular order: rows first, then columns of the row sums."""
    width, height = len(across[0]), len(down[0])
    rows = [plane[y * width : (y + 1) * width] for y in range(height)]
    sums = [[sum(map(float.__mul__, row, across[cx])) for row in rows] for cx in range(nx)]
    terms = [
        sum(map(float.__mul__, sums[cx], down[cy])) / (width * height)
        for cy in range(ny)
        for cx in range(nx)
        if cx * ny < nx * (ny - cy)
    ]
    dc, ac = terms[0], terms[1:]
    scale = max(map(abs, ac), default=0.0)
    return _Channel(dc, [0.5 + 0.5 / scale * term for term in ac] if scale else ac, scale)


def _constants(lightness: _Channel, p: _Channel, q: _Channel) -> int:
    return (
        _round(63 * lightness.dc)
        | _round(31.5 + 31.5 * p.dc) << 6
        | _round(31.5 + 31.5 * q.dc) << 12
        | _round(31 * lightness.scale) << 18
        | _round(63 * p.scale) << 27
        | _round(63 * q.scale) << 33
    )


def _nibbles(terms: list[float]) -> bytes:
    values = [_round(15 * term) for term in terms]
    values += [0] * (len(values) % 2)
    return bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))


def _round(value: float) -> int:
    return floor(value + 0.5)
