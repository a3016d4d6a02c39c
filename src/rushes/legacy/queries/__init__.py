"""One query a file; `query("drain")` is the text of drain.sql."""

import re
from functools import cache
from importlib import resources

_PLACE = re.compile(r"\{([a-z_]+)\}")


@cache
def query(name: str) -> str:
    """The text of a query file. Raises FileNotFoundError."""
    return resources.files(__name__).joinpath(f"{name}.sql").read_text("utf-8")


def filled(name: str, /, **parts: str) -> str:
    """The query with its `{places}` filled by identifiers and expressions, never by values."""
    return _PLACE.sub(lambda found: parts[found[1]], query(name))
