"""Work out the declared derived values from validated inputs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from rushes.domain.derived import (
    Case,
    Clock,
    Count,
    Derived,
    Divide,
    Frames,
    Length,
    Loops,
    Part,
    Split,
    Switch,
    Text,
)
from rushes.domain.errors import InvalidInput
from rushes.domain.fields import Number, clock

Values = Mapping[str, Any]

_UNREADABLE = "its length could not be read; convert it (sound to WAV or MP3, video to MP4) and try again"


def derive(declared: Sequence[Derived], inputs: Values, graph: str | None = None) -> dict[str, Any]:
    """The derived values that a graph needs, by name, in the order declared; a list for those with `each`.

    Without a graph, those that belong to every graph.

    Raises InvalidInput naming the input that makes a value impossible.
    """
    values: dict[str, Any] = dict(inputs)
    shares: dict[str, str] = {}
    wanted = [one for one in declared if one.graph is None or one.graph == graph]
    for one in wanted:
        if isinstance(one, Frames):
            values[one.name] = _frames(one, values, _origin(one.seconds, wanted))
        elif isinstance(one, Split):
            values[one.name] = _split(one, values)
        elif one.each is None:
            values[one.name] = _single(one, values)
        else:
            mine = [name for name, each in shares.items() if each == one.each]
            values[one.name] = [_single(one, inside) for inside in _insides(one.each, values, mine)]
        if one.each is not None:
            shares[one.name] = one.each
    return {one.name: values[one.name] for one in wanted}


def _insides(name: str, values: Values, shares: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What a transform sees inside each item: its fields by dotted name, its share of earlier values."""
    for index, item in enumerate(values[name] or []):
        fields = item if isinstance(item, Mapping) else {}
        own = {share: values[share][index] for share in shares}
        yield {**values, name: item, **own, **{f"{name}.{field}": value for field, value in fields.items()}}


def _single(one: Derived, values: Values) -> Any:
    match one:
        case Length():
            return _length(one, values)
        case Divide():
            by = values[one.by] if isinstance(one.by, str) else one.by
            return max(1, math.ceil((values[one.value] - one.minus) / by))
        case Loops():
            return _loops(one, values)
        case Switch():
            return _switch(one, values)
        case Text():
            return one.separator.join(text for part in one.parts if (text := _piece(part, values)))
        case Count():
            return len(values[one.of] or [])
        case Clock():
            seconds = values[one.seconds]
            return None if seconds is None else clock(seconds)
        case _:
            raise TypeError(one.transform)


def _length(one: Length, values: Values) -> float:
    outer, _, field = one.of.partition(".")
    if one.of in values or not field:
        return _span(one, one.of, values[one.of], values)
    items = values[outer] or []
    return sum(_span(one, f"{outer}.{i}.{field}", item[field], values) for i, item in enumerate(items))


def _span(one: Length, path: str, media: Any, values: Values) -> float:
    seconds = media.get("duration_seconds") if isinstance(media, Mapping) else None
    if not seconds or not math.isfinite(seconds):
        raise InvalidInput({path: _UNREADABLE})
    start = (values[one.start] if one.start else None) or 0.0
    end = (values[one.end] if one.end else None) or seconds
    if one.start and start >= seconds:
        message = f"starts at {clock(start)}, but {path} is only {clock(seconds)} long"
        raise InvalidInput({one.start: message})
    if one.end and end <= start:
        message = f"ends at {clock(end)}, which is not after the start ({clock(start)})"
        raise InvalidInput({one.end: message})
    return float(min(end, seconds) - start)


def _origin(name: str, declared: Sequence[Derived]) -> str:
    """The input that a length comes from: what an error should name."""
    return next((one.of for one in declared if isinstance(one, Length) and one.name == name), name)


def _frames(one: Frames, values: Values, origin: str) -> Any:
    amounts: Any = values[one.seconds]
    if one.each is None:
        return _whole(one, amounts, origin)
    ends = [0.0]
    for seconds in amounts:
        ends.append(ends[-1] + seconds)
    marks = [0 if end == 0 else _whole(one, end, origin) for end in ends]
    return [max(one.min, after - before) for before, after in pairwise(marks)]


def _whole(one: Frames, seconds: Number, origin: str) -> int:
    """Rounded up, but 2.0000001 seconds at 25 fps are 50 frames, not 51."""
    frames = max(math.ceil(round(seconds * one.fps, 4)), one.min)
    steps = max(0, math.ceil((frames - one.plus) / one.multiple))
    frames = steps * one.multiple + one.plus
    if one.max is not None and frames > one.max:
        longest = clock(one.max / one.fps)
        message = (
            f"is too long: {frames:,} frames, and at most {one.max:,} ({longest}) are possible; shorten it"
        )
        raise InvalidInput({origin: message})
    return frames


def _split(one: Split, values: Values) -> list[int]:
    rest, shares = int(values[one.value]), []
    for number in range(int(values[one.each or ""])):
        shares.append(max(1, min(rest, one.size if number else one.first)))
        rest -= shares[-1]
    return shares


def _loops(one: Loops, values: Values) -> int:
    video = values[one.of]
    seconds = _span(Length(name=one.name, transform="length", of=one.of), one.of, video, values)
    fps = video.get("fps") or one.assumed_fps
    source_frames = max(1, math.floor(seconds * fps) - 1)
    return math.ceil(int(values[one.frames]) / source_frames)


def _switch(one: Switch, values: Values) -> Any:
    on = values[one.on]
    key = str(on).lower() if isinstance(on, bool) else str(on)
    chosen = one.cases.get(key, one.otherwise)
    if isinstance(chosen, Case):
        return values[chosen.source] if chosen.source else chosen.value
    return chosen


def _piece(part: str | Part, values: Values) -> str:
    if isinstance(part, str):
        return part
    if part.when is not None:
        condition = values[part.when]
        if not (condition == part.equals if part.equals is not None else condition):
            return ""
    if part.source is None:
        return part.text or ""
    value = values[part.source]
    if part.part is not None:
        value = value.get(part.part) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
