"""What a client may keep with a job: any JSON object, bounded, and of what a database can hold."""

import json
from collections.abc import Mapping
from typing import Any

from rushes.domain.errors import InvalidInput
from rushes.domain.input_values import Fault, check_text

LIMIT = 64 * 1024  # characters of JSON


def check_metadata(metadata: Mapping[str, Any]) -> None:
    """Raises InvalidInput for NaN, infinity, NUL, lone surrogates, and for what is too large or too deep."""
    try:
        size = len(json.dumps(metadata, allow_nan=False))
        _check_texts(metadata)
    except Fault as fault:
        raise InvalidInput({"metadata": str(fault)}) from None
    except (ValueError, TypeError, RecursionError):
        raise InvalidInput(
            {"metadata": "holds a number that JSON has not, or is nested too deeply"}
        ) from None
    if size > LIMIT:
        raise InvalidInput(
            {"metadata": f"has {size:,} characters of JSON; at most {LIMIT:,} are kept with a job"}
        )


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            check_text(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)
