"""One query a file; `query("claim")` is the text of claim.sql."""

from functools import cache
from importlib import resources
from typing import LiteralString


@cache
def query(name: str) -> LiteralString:
    """The text of a query file. Raises FileNotFoundError."""
    return resources.files(__name__).joinpath(f"{name}.sql").read_text("utf-8")
