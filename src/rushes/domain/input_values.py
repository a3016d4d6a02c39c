"""Check one value against its field: one function a kind."""

import json
import math
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from rushes.domain.errors import InvalidInput
from rushes.domain.fields import InputField, Number, is_multiple, parse_clock

FILE_KEYS = (
    "filename",
    "key",
    "content_type",
    "size_bytes",
    "sha256",
    "width",
    "height",
    "duration_seconds",
    "fps",
)


class Fault(ValueError):
    """Why one value can't be used, in words that fit after the field's name."""


def check_value(field: InputField, value: Any) -> Any:
    """The value, normalised; raises Fault."""
    return _CHECKS[field.kind](field, value)


def coerce_text(field: InputField, text: str) -> Any:
    """The typed value of a text from a command line or a form part; raises InvalidInput.

    An empty text means "not given" for everything but texts. Files come as files, not as text.
    """
    if field.kind in {"string", "text", "duration"}:
        return text
    if not text.strip():
        return None
    try:
        return _coerce(field, text.strip())
    except Fault as fault:
        raise InvalidInput({field.name: str(fault)}) from None


def _coerce(field: InputField, text: str) -> Any:
    match field.kind:
        case "integer" | "seed":
            return _parsed(int, text, "a whole number")
        case "number":
            return _parsed(float, text, "a number")
        case "boolean":
            return _flag(text)
        case "select":
            return next((option.value for option in field.options if str(option.value) == text), text)
        case "resolution":
            return _sides(text)
        case "group":
            return _parsed(json.loads, text, "a JSON list")
        case _:
            raise Fault("is a file: send it as a file, not as text")


def _parsed(parse: Callable[[str], Any], text: str, what: str) -> Any:
    try:
        return parse(text)
    except (ValueError, RecursionError):
        raise Fault(f'should be {what}, not "{text[:40]}"') from None


def _flag(text: str) -> bool:
    if text.lower() in {"true", "1", "yes", "on"}:
        return True
    if text.lower() in {"false", "0", "no", "off"}:
        return False
    raise Fault(f'should be true or false, not "{text[:40]}"')


def _sides(text: str) -> dict[str, int]:
    width, _, height = text.lower().replace("×", "x").partition("x")
    if not (width.strip().isdecimal() and height.strip().isdecimal()):
        raise Fault(f'should be width x height, such as 640x360, not "{text[:40]}"')
    return {"width": int(width), "height": int(height)}


def check_text(text: str) -> str:
    """The text unchanged; raises Fault for the two things no Postgres text can hold."""
    if "\x00" in text:
        raise Fault("contains a NUL character (U+0000), which can't be stored; remove it")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Fault("contains half of a surrogate pair, which is not valid Unicode; remove or complete it")
    return text


def _text(field: InputField, value: Any) -> str:
    if not isinstance(value, str):
        raise Fault(f"should be a text, not {_named(value)}")
    if len(value) > field.max_length:
        raise Fault(f"is {len(value):,} characters long; at most {field.max_length:,} are allowed")
    return check_text(value)


def _integer(field: InputField, value: Any) -> int:
    number = _number(field, value)
    if isinstance(number, float):
        if number % 1:
            raise Fault(f"should be a whole number, not {value}")
        number = int(number)
    return number


def _number(field: InputField, value: Any) -> Number:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        what = "a whole number" if field.kind in {"integer", "seed", "resolution"} else "a number"
        raise Fault(f"should be {what}, not {_named(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise Fault("should be a finite number, not NaN or infinity")
    low, high = field.range
    if not low <= value <= high:
        raise Fault(f"should be {_between(low, high)}, not {_shown(value)}")
    if _is_off_step(field, value):
        raise Fault(f"should be a multiple of {field.step}, not {_shown(value)}{_nearest(value, field)}")
    return value


def _is_off_step(field: InputField, value: Number) -> bool:
    """The default is always on the grid, even where it is no multiple (640 x 360 in steps of 32)."""
    if field.step is None or field.kind == "duration":
        return False
    defaults = field.default.values() if isinstance(field.default, dict) else [field.default]
    return value not in defaults and not is_multiple(value, field.step)


def _boolean(_: InputField, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Fault(f"should be true or false, not {_named(value)}")
    return value


def _select(field: InputField, value: Any) -> Any:
    if not isinstance(value, (str, int, float, bool)):
        raise Fault(f"should be one of {_listed(field)}, not {_named(value)}")
    if isinstance(value, str) and len(value) > 1_000:
        raise Fault("is too long for an option")
    if isinstance(value, str):
        check_text(value)
    for option in field.options:
        if option.value == value and isinstance(option.value, bool) == isinstance(value, bool):
            return option.value
    if field.options_from is not None and isinstance(value, str):
        return value
    raise Fault(f"should be one of {_listed(field)}, not {value!r}"[:600])


def _resolution(field: InputField, value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping) or set(value) != {"width", "height"}:
        raise Fault('should be an object such as {"width": 640, "height": 360}')
    sides = {}
    for side in ("width", "height"):
        try:
            sides[side] = _integer(field, value[side])
        except Fault as fault:
            raise Fault(f"{side} {fault}") from None
    return sides


def _duration(field: InputField, value: Any) -> Number:
    if isinstance(value, str):
        seconds = parse_clock(value)
        if seconds is None:
            raise Fault(f'should be seconds or "m:ss", such as 12.5 or "0:12.5", not "{value[:40]}"')
        value = seconds
    return float(_number(field, value))


def _file(field: InputField, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Fault(f'should be a file, {{"upload_id": "…"}} or {{"key": "…"}}, not {_named(value)}')
    if not (isinstance(value.get("key"), str) and isinstance(value.get("content_type"), str)):
        raise Fault('should be a file: {"upload_id": "…"} of an upload, or {"key": "…"} of a stored file')
    content_type, size = value["content_type"], value.get("size_bytes")
    if not accepts(field, content_type):
        raise Fault(f"is {content_type}; accepted are {', '.join(field.accepted)}")
    if isinstance(size, int) and size <= 0:
        raise Fault("is an empty file; choose another")
    if isinstance(size, int) and field.max_bytes is not None and size > field.max_bytes:
        raise Fault(f"is {_megabytes(size)}; at most {_megabytes(field.max_bytes)} are allowed")
    return {key: value.get(key) for key in FILE_KEYS if key in value}


def accepts(field: InputField, content_type: str) -> bool:
    """True if a file of this type may be given; parameters such as `; charset` don't count."""
    plain = content_type.partition(";")[0].strip().lower()
    return any(fnmatchcase(plain, pattern) for pattern in field.accepted)


def _shown(number: Number) -> str:
    """Never thousands of digits."""
    return str(number) if abs(number) < 2**65 else "a number that large"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


def _named(value: Any) -> str:
    """What somebody sent, as JSON names it."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return f"the number {value}"[:60]
    if isinstance(value, str):
        return f'the text "{value[:40]}"'
    return "a list" if isinstance(value, list) else "an object"


def _between(low: Number, high: Number) -> str:
    if high == math.inf:
        return f"at least {_plain(low)}"
    return f"at most {_plain(high)}" if low == -math.inf else f"from {_plain(low)} to {_plain(high)}"


def _plain(number: Number) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def _nearest(value: Number, field: InputField) -> str:
    step = field.step or 1
    low, high = field.range
    below = math.floor(value / step) * step
    near = [one for one in (below, below + step) if low <= one <= high]
    return f" (try {' or '.join(f'{one:g}' for one in near)})" if near else ""


def _listed(field: InputField) -> str:
    return ", ".join(str(option.value) for option in field.options) or "the server's options"


_CHECKS: dict[str, Callable[[InputField, Any], Any]] = {
    "string": _text,
    "text": _text,
    "integer": _integer,
    "seed": _integer,
    "number": _number,
    "boolean": _boolean,
    "select": _select,
    "resolution": _resolution,
    "duration": _duration,
    "image": _file,
    "mask": _file,
    "video": _file,
    "audio": _file,
    "file": _file,
    "image_list": _file,
}
