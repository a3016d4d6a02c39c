"""What travels along a link: pictures, masks, sound and latents, without numpy or torch."""

import math
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from PIL import Image

Images = tuple[Image.Image, ...]
"""A batch: frames of one size, RGB or RGBA. Equal frames are the same object, so that work on them is done once."""
Masks = tuple[Image.Image, ...]
"""A batch of one-band pictures, 255 where the mask is 1.0."""


def each(batch: Iterable[Image.Image], change: Callable[[Image.Image], Image.Image]) -> Images:
    """Apply a change to every frame, once for frames that are the same object."""
    frames = tuple(batch)
    done: dict[int, Image.Image] = {}
    for frame in frames:
        if id(frame) not in done:
            done[id(frame)] = change(frame)
    return tuple(done[id(frame)] for frame in frames)


def pairs(first: Images, second: Images, join: Callable[[Image.Image, Image.Image], Image.Image]) -> Images:
    """Join two batches frame by frame; the shorter one repeats."""
    done: dict[tuple[int, int], Image.Image] = {}
    joined = []
    for index in range(max(len(first), len(second))):
        one, other = first[index % len(first)], second[index % len(second)]
        key = (id(one), id(other))
        if key not in done:
            done[key] = join(one, other)
        joined.append(done[key])
    return tuple(joined)


def same_mode(one: Image.Image, other: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Both pictures in RGBA when either has alpha."""
    if one.mode == other.mode:
        return one, other
    return one.convert("RGBA"), other.convert("RGBA")


def resized(image: Image.Image, width: int, height: int, method: str, crop: str = "disabled") -> Image.Image:
    """Scale to width x height pixels; `crop="center"` keeps the proportions and cuts what sticks out."""
    if crop == "center":
        image = _cut_to_shape(image, width / height)
    return image.resize((width, height), _RESAMPLING[method])


_RESAMPLING = {
    "nearest-exact": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "area": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "bislerp": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def _cut_to_shape(image: Image.Image, shape: float) -> Image.Image:
    own = image.width / image.height
    x = round((image.width - image.width * (shape / own)) / 2) if own > shape else 0
    y = round((image.height - image.height * (own / shape)) / 2) if own < shape else 0
    return image.crop((x, y, image.width - x, image.height - y))


@dataclass(frozen=True)
class Sound:
    """Samples in -1..1, one float array a channel, all of one length."""

    rate: int
    channels: tuple["array[float]", ...]

    @property
    def samples(self) -> int:
        return len(self.channels[0])

    @property
    def seconds(self) -> float:
        return self.samples / self.rate

    def cut(self, start: int, end: int) -> "Sound":
        """The samples from start to end."""
        return Sound(self.rate, tuple(channel[start:end] for channel in self.channels))

    def widened(self, count: int) -> "Sound":
        """Mono as `count` equal channels; anything else unchanged."""
        return self if len(self.channels) >= count else Sound(self.rate, self.channels[:1] * count)

    def louder(self, gain: float) -> "Sound":
        """Every sample times the gain."""
        if gain == 1.0:
            return self
        scaled = (array("f", (gain * level for level in channel)) for channel in self.channels)
        return Sound(self.rate, tuple(scaled))


def silence(seconds: float, rate: int, channels: int) -> Sound:
    """Nothing to hear, for that long."""
    still = array("f", bytes(4 * round(seconds * rate)))
    return Sound(rate, (still,) * channels)


@dataclass(frozen=True)
class Latent:
    """Numbers in latent space: little-endian 32-bit floats of that shape."""

    shape: tuple[int, ...]
    values: bytes = field(repr=False)

    @classmethod
    def zeros(cls, *shape: int) -> "Latent":
        return cls(shape, bytes(4 * math.prod(shape)))

    def items(self) -> list[bytes]:
        """The values of each item of the batch."""
        size = 4 * math.prod(self.shape[1:])
        return [self.values[at : at + size] for at in range(0, len(self.values), size)]

    def of_items(self, items: list[bytes]) -> "Latent":
        """The same kind of latent with other items."""
        return Latent((len(items), *self.shape[1:]), b"".join(items))
