"""JSON as ComfyUI writes it, made fit for Postgres: no NaN, no NUL, no lone surrogates."""

import json
import math
import re
from typing import Any

# In JSON text only these spell what Postgres refuses; without them the parsed tree needs no walk.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])|\x00")
_REFUSED = re.compile(r"[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def parse_json(body: bytes | str) -> Any:
    """Parse and clean: NaN and infinities become null, NUL and lone surrogates U+FFFD. Raises ValueError."""
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    try:
        tree = json.loads(text, strict=False, parse_constant=_null, parse_float=_finite)
        return clean(tree) if _SUSPECT.search(text) else tree
    except RecursionError:
        raise ValueError("nested too deeply") from None


def clean(value: Any) -> Any:
    """The same tree without the characters and numbers that Postgres refuses."""
    match value:
        case str():
            return _REFUSED.sub(REPLACEMENT, value)
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {_REFUSED.sub(REPLACEMENT, str(key)): clean(item) for key, item in value.items()}
        case list() | tuple():
            return [clean(item) for item in value]
    return value


def _null(_: str) -> None:
    return None


def _finite(digits: str) -> float | None:
    number = float(digits)  # 1e999 is infinite without being spelled so
    return number if math.isfinite(number) else None
