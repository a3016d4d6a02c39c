"""One query a file; `query("drain")` is the text of drain.sql."""

from functools import cache
from importlib import resources


@cache
def query(name: str) -> str:
    """The text of a query file. Raises FileNotFoundError."""
    return resources.files(__name__).joinpath(f"{name}.sql").read_text("utf-8")
