"""A database server of its own, to stop and to freeze."""

import os
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from rushes.adapters.postgres.embedded import EmbeddedPostgres
from tests.postgres import FAST, binaries, reachable_folder, remove


class OwnDatabase:
    """`with OwnDatabase() as database: database.url`."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rushes-chaos-", dir=reachable_folder()))
        self._folder.chmod(0o711)
        chosen = binaries("embedded") or binaries("installed")
        assert chosen is not None, "no PostgreSQL here"
        self._server = EmbeddedPostgres(
            self._folder / "data",
            binaries=chosen.folder,
            settings={**FAST, "max_connections": "120"},
            system_dir=self._folder / "system",
        )
        self.url = ""
        self._connection: psycopg.Connection[TupleRow] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> "OwnDatabase":
        self.url = self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
        self._server.stop()
        remove(self._server, self._folder)

    def sql(self, statement: str, *params: Any) -> list[TupleRow]:
        """As the owner, past all rules of access; asked again while the server is away."""
        end = time.monotonic() + 30
        with self._lock:
            while True:
                try:
                    return self._ask(statement, params)
                except psycopg.OperationalError:
                    self._connection = None
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.1)

    def crash(self) -> None:
        """An immediate stop: no transaction in flight is finished."""
        os.kill(self._pid(), signal.SIGQUIT)

    def revive(self) -> None:
        """Start it again on its port."""
        end = time.monotonic() + 20
        while True:
            self.url = self._server.revive()
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:  # it was still going down
                assert time.monotonic() < end, "the database does not come back"
                time.sleep(0.1)
            else:
                return

    def freeze(self) -> list[int]:
        """Stop every process of it in its tracks; who to thaw."""
        postmaster = self._pid()
        frozen = [postmaster, *_children(postmaster)]
        for pid in frozen:
            _signal(pid, signal.SIGSTOP)
        return frozen

    def thaw(self, frozen: list[int]) -> None:
        for pid in reversed(frozen):
            _signal(pid, signal.SIGCONT)

    def cut_connections(self) -> int:
        """End everybody's connection but ours; how many."""
        rows = self.sql(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where pid <> pg_backend_pid() and backend_type = 'client backend'"
        )
        return int(rows[0][0])

    def _ask(self, statement: str, params: tuple[Any, ...]) -> list[TupleRow]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.url, autocommit=True, connect_timeout=5)
        cursor = self._connection.execute(statement.encode(), params)
        return cursor.fetchall() if cursor.description else []

    def _pid(self) -> int:
        pid = self._server.status().pid
        assert pid is not None, "the database does not run"
        return pid


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
