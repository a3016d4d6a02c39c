"""Content-Disposition: a person's file name in a header, without a way to break out of it."""

import re
from urllib.parse import quote


def attachment(filename: str) -> str:
    """Save it under this name."""
    return f"attachment; {_names(filename)}"


def inline(filename: str) -> str:
    """Show it; should it be saved, then under this name."""
    return f"inline; {_names(filename)}"


def _names(filename: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", filename)
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
