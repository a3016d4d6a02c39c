"""The databases of a takeover: where the old tables are, and where their rows go.

Statements are texts with named parameters (`%(name)s`). Times come as text or inside of JSON: an old table may hold
infinity, the year 294276 and years before Christ, which Python's datetime has no room for.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]
Params = Mapping[str, Any]


class LegacyStatements(Protocol):
    """What runs on one connection: in its transaction, or each statement for itself."""

    async def fetch(self, statement: str, params: Params | None = None) -> list[Row]: ...

    async def execute(self, statement: str, params: Params | None = None) -> int:
        """How many rows it touched."""
        ...

    async def copy_rows(self, into: str, rows: Sequence[Row]) -> None:
        """Rows by COPY; `into` is the table, and its columns in parentheses."""
        ...

    async def copy_from(self, source: "LegacyStatements", select: str, params: Params, into: str) -> None:
        """Another connection's rows by COPY from end to end, a chunk at a time."""
        ...

    def copy_out(self, table: str) -> AsyncIterator[bytes]:
        """A table's rows as COPY's text; nothing else may run meanwhile. Columns may follow in parentheses."""
        ...

    async def copy_in(self, into: str, text: AsyncIterator[bytes]) -> None:
        """The same, back."""
        ...

    def transaction(
        self, *, lock_seconds: float | None = None
    ) -> AbstractAsyncContextManager["LegacyStatements"]:
        """A transaction; within one, a savepoint. Raises Unavailable when a lock isn't had within `lock_seconds`."""
        ...


class LegacyDatabase(LegacyStatements, Protocol):
    """A connection of its own, without a statement's time limit; outside of a transaction every statement commits."""

    @property
    def place(self) -> str:
        """Where it is, without credentials."""
        ...

    async def patiently(
        self, statement: str, params: Params | None = None, *, lock_seconds: float = 1, tries: int = 60
    ) -> None:
        """A statement in a transaction of its own that needs a lock: nobody waits longer than `lock_seconds` behind it.

        Also CREATE INDEX CONCURRENTLY, which no transaction takes. Raises Unavailable after the last try.
        """
        ...

    def stream(
        self, statement: str, params: Params | None = None, *, size: int = 1000
    ) -> AsyncIterator[list[Row]]:
        """The rows in blocks of `size`, from a cursor on the server; nothing else may run meanwhile."""
        ...

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Held by one process at a time while the block lasts. Raises Conflict when another one has it."""
        ...

    def another(self) -> AbstractAsyncContextManager["LegacyDatabase"]:
        """A second connection to the same database."""
        ...


class NoFile(Exception):
    """A file's server doesn't answer, or breaks off; says why."""


class RemoteAnswer(Protocol):
    """The head of an answer; its bytes come as they are read."""

    @property
    def status(self) -> int: ...

    @property
    def location(self) -> str | None:
        """Where a redirect leads to."""
        ...

    def blocks(self) -> AsyncIterator[bytes]:
        """The body, whole. What breaks off raises NoFile, out of `get`'s block."""
        ...


class RemoteFiles(Protocol):
    """GET, without following redirects: the caller decides where to go."""

    def get(self, url: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[RemoteAnswer]:
        """Raises NoFile when there is no answer, or not the whole of it."""
        ...
