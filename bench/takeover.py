"""A takeover while the old app writes: how long its writes take before, during each command and on the views, whether
it sees an error, how long the cut-over holds its locks, and whether every row it wrote is what it must be."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bench.figures import Row, keep, machine, options, show
from bench.old_app import LEDGER, TIMES
from bench.old_ledger import compare_ledger, size_of
from bench.old_rows import TABLES, fill
from bench.old_times import middle_second, troubles, writes
from bench.places import SETTINGS, cpu_seconds, folder, postgres, process
from bench.turns import Turns

WARM_SECONDS = 5.0
LOG_MB = 2048  # of write-ahead log that is there to be written over
SHOWN = (
    "phase", "seconds", "writes", "p50 ms", "p99 ms", "max ms", "p99 ÷ before", "p99 at work", "p99 stopped", "p99 ÷",
    "second's p99 at work", "second's p99 stopped", "second's p99 ÷", "errors", "rows/s", "locked_seconds",
    "client MB", "server MB", "server CPU s",
)  # fmt: skip
_ROWS_IN = "SELECT coalesce(sum(rows_done), 0) FROM rushes_legacy.progress WHERE step = 'migrate'"
_TELL_SECONDS = 30.0
_LOOK_SECONDS = 0.5


def main(arguments: Sequence[str]) -> None:
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="old rows")
    parser.add_argument("--writes", type=float, default=200.0, help="writes of the old app a second")
    parser.add_argument("--people", type=int, default=20, help="connections of the old app")
    parser.add_argument("--seconds", type=float, default=60.0, help="to measure before, and on the views")
    parser.add_argument("--rollback", action="store_true", help="and back again, the old app still writing")
    parser.add_argument(
        "--turns",
        type=float,
        default=0.0,
        help="stop migrate and verify every so many seconds for as long, and compare the writes of both times",
    )
    parser.add_argument("--turning", type=float, default=600.0, help="for how many seconds")
    parser.add_argument(
        "--head-start",
        type=int,
        default=0,
        help="old rows that migrate takes over before the old app begins; then it is killed, and goes on beside it",
    )
    parser.add_argument(
        "--shared-buffers",
        default=SETTINGS["shared_buffers"],
        help="of the server: with less than the tables need, the disk's reads are in every figure",
    )
    parser.add_argument("--migrate", default="", help="more options for `rushes legacy migrate`")
    parser.add_argument("--verify", default="", help="more options for `rushes legacy verify`")
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what is below goes then, too
    with folder() as at, postgres(at, min_wal_size=f"{LOG_MB}MB", shared_buffers=asked.shared_buffers) as url:
        bench = _Bench(url, at, asked)
        try:
            bench.run()
        finally:
            keep(asked.out, "takeover", bench.figures)
    head = f"A takeover of {asked.rows:,} rows at {asked.writes:g} writes a second ({machine()})"
    show(head, [{name: row.get(name) for name in SHOWN} for row in bench.figures if "writes" in row])
    show("What the old app wrote", [row for row in bench.figures if "writes" not in row])
    if bench.wrong:
        raise SystemExit("\n".join(bench.wrong))


def _age(connection: psycopg.Connection[Any]) -> None:
    """A server that has run for a while writes its log into files it has; a new one makes each with 16 MB of zeros
    first, and every commit waits for that."""
    for _ in range(LOG_MB // 16):
        connection.execute("SELECT pg_logical_emit_message(false, 'bench', repeat('x', 16777216))")
    connection.execute("CHECKPOINT")


@dataclass(slots=True)
class _Bench:
    url: str
    at: Path
    asked: argparse.Namespace
    figures: list[Row] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    before: float = 0.0  # p99, in milliseconds

    def run(self) -> None:
        with _told("filling the old tables"), psycopg.connect(self.url, autocommit=True) as connection:
            fill(connection, self.asked.rows)
            for name in TABLES:
                connection.execute(f"GRANT ALL ON {name} TO service_role".encode())
            _age(connection)
        if self.asked.head_start:
            with _told("a head start"):
                self._begin(self.asked.head_start)
        with self._old_app() as pid:
            self._quiet("warming up", WARM_SECONDS)
            self._quiet("before", self.asked.seconds)
            self._command("migrate", *self.asked.migrate.split(), turns=self.asked.turns)
            self._command("verify", *self.asked.verify.split(), turns=self.asked.turns)
            self._command("cutover")
            self._quiet("on the views", self.asked.seconds)
            if self.asked.rollback:
                self._command("rollback")
                self._quiet("on the tables again", self.asked.seconds)
            _alive(pid)
        with _told("comparing every row that the old app wrote"):
            self._check()

    def _begin(self, rows: int) -> None:
        """migrate, killed when so many rows are here."""
        with (
            process(
                ["-m", "rushes", "legacy", "migrate"], self._surroundings(), self.at / "begin.log"
            ) as child,
            psycopg.connect(self.url, autocommit=True) as connection,
        ):
            while child.poll() is None and _rows_in(connection) < rows:
                time.sleep(_LOOK_SECONDS)
            child.kill()

    def _surroundings(self) -> dict[str, str]:
        return {"RUSHES_DATABASE_URL": self.url, "RUSHES_DATA_DIR": str(self.at)}

    @contextmanager
    def _old_app(self) -> Iterator[int]:
        told = [
            "--rate",
            str(self.asked.writes),
            "--people",
            str(self.asked.people),
            "--rows",
            str(self.asked.rows),
        ]
        command = ["-m", "bench.old_app", str(self.at), "--url", self.url, *told]
        with process(command, {}, self.at / "old_app.log") as child:
            _until((self.at / TIMES).exists, child.pid)
            yield child.pid
        if said := (self.at / "old_app.log").read_text():
            raise SystemExit(f"the old app broke off:\n{said}")

    def _quiet(self, name: str, seconds: float) -> None:
        with self._phase(name):
            time.sleep(seconds)

    def _command(self, name: str, *more: str, turns: float = 0) -> None:
        with self._phase(name) as figures:
            taken = Turns(turns, self.asked.turning)
            done, figures["client MB"], figures["server MB"] = self._run(name, *more, turns=taken)
            figures.update(self._turned(taken))
            figures.update(_of_interest(done))
            if "rows" in figures and figures.get("seconds"):
                figures["rows/s"] = round(figures["rows"] / figures["seconds"])

    def _turned(self, turns: Turns) -> dict[str, float]:
        if not turns.stopped:
            return {}
        time.sleep(1.5)
        told: dict[str, float] = {}
        for name, measured in (("p99", _p99), ("second's p99", middle_second)):
            at_work, stopped = (measured(self.at, *spans) for spans in (turns.working, turns.stopped))
            told |= {
                f"{name} at work": at_work,
                f"{name} stopped": stopped,
                f"{name} ÷": round(at_work / stopped, 2),
            }
        return told

    @contextmanager
    def _phase(self, name: str) -> Iterator[dict[str, Any]]:
        """What happens inside, with the old app's writes that were due meanwhile."""
        more: dict[str, Any] = {}
        cpu, began = cpu_seconds(self.url), time.monotonic()
        with _told(name):
            yield more
        ended, cpu = time.monotonic(), cpu_seconds(self.url) - cpu
        time.sleep(1.5)  # the old app writes its times down twice a second
        seen = writes(self.at, (began, ended))
        row = {"phase": name, "seconds": round(ended - began, 1), **seen, "server CPU s": round(cpu, 1)}
        seen_wrong = list(troubles(self.at, began, ended))
        row["errors"] = len(seen_wrong)
        self.wrong += [f"{name}: {what}" for what in seen_wrong[:20]]
        if name == "before":
            self.before = row["p99 ms"]
        row["p99 ÷ before"] = round(row["p99 ms"] / self.before, 2) if self.before else None
        row |= {key: value for key, value in more.items() if key != "seconds"}
        print("   ", json.dumps(row, ensure_ascii=False), flush=True)
        if name != "warming up":
            self.figures.append(row)

    def _run(self, name: str, *more: str, turns: Turns) -> tuple[dict[str, Any], int, int]:
        """The command in a process of its own: its report, and the most memory that it and its backends had, in MB."""
        out = self.at / f"{name}.json"
        with out.open("w") as file, (self.at / f"{name}.log").open("w") as errors:
            child = subprocess.Popen(
                [sys.executable, "-m", "rushes", "legacy", name, "--json", *more],
                env=os.environ | self._surroundings(),
                stdout=file,
                stderr=errors,
            )
            try:
                client, server = self._watch(child, turns)
            finally:
                turns.end(_family(child.pid))
                if child.poll() is None:
                    child.terminate()
                    child.wait()
        told = out.read_text()
        if child.returncode:
            self.wrong.append(
                f"{name}: exit code {child.returncode}: {json.dumps(_of_interest(json.loads(told or '{}')))} {(self.at / f'{name}.log').read_text()[-1500:]}"
            )
            if name != "verify":
                raise SystemExit("\n".join(self.wrong))
        return json.loads(told or "{}"), client, server

    def _watch(self, child: subprocess.Popen[bytes], turns: Turns) -> tuple[int, int]:
        client = server = 0
        tell = time.monotonic() + _TELL_SECONDS
        with psycopg.connect(self.url, autocommit=True) as connection:
            while child.poll() is None:
                time.sleep(_LOOK_SECONDS)
                turns.look(lambda: _family(child.pid))
                client = max(client, sum(_memory(pid, "VmHWM") for pid in _family(child.pid)))
                backends = connection.execute(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'rushes legacy'"
                ).fetchall()
                server = max(server, sum(_memory(pid, "RssAnon") for (pid,) in backends))
                if time.monotonic() > tell:
                    tell += _TELL_SECONDS
                    print(
                        "   ",
                        _how_far(connection),
                        writes(self.at, (time.monotonic() - _TELL_SECONDS, time.monotonic())),
                        flush=True,
                    )
        return round(client / 1024), round(server / 1024)

    def _check(self) -> None:
        rows, wrong = compare_ledger(self.url, self.at / LEDGER, jobs=not self.asked.rollback)
        self.wrong += wrong[:20]
        self.figures.append(
            {"phase": "ledger", "rows": rows, "differences": len(wrong), "database MB": size_of(self.url)}
        )


def _p99(at: Path, *spans: tuple[float, float]) -> float:
    return float(writes(at, *spans)["p99 ms"])


def _of_interest(done: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: done[name]
        for name in (
            "rows",
            "seconds",
            "written",
            "followed",
            "right",
            "drained",
            "tries",
            "carried",
            "locked_seconds",
        )
        if name in done
    }
    if isinstance(found.get("rows"), dict):
        found["rows"] = sum(found["rows"].values())
    if done.get("differences"):
        found["for instance"] = done["differences"][:5]
    if done.get("different"):
        found["different"] = done["different"]
    return found


def _how_far(connection: psycopg.Connection[Any]) -> str:
    told = connection.execute(
        f"SELECT ({_ROWS_IN}),"
        " (SELECT count(*) FROM rushes_legacy.changes), pg_size_pretty(pg_database_size(current_database())),"
        " (SELECT string_agg(DISTINCT left(query, 60), ' | ') FROM pg_stat_activity"
        "  WHERE application_name = 'rushes legacy' AND state = 'active')"
    ).fetchone()
    assert told
    return f"{told[0]:,} rows in, {told[1]:,} changes noted, {told[2]}; {' '.join(str(told[3]).split())}"


def _rows_in(connection: psycopg.Connection[Any]) -> int:
    """How many migrate has booked; none before the schema is there."""
    try:
        told = connection.execute(_ROWS_IN).fetchone()
    except psycopg.errors.UndefinedTable:
        return 0
    assert told
    return int(told[0])


@contextmanager
def _told(what: str) -> Iterator[None]:
    began = time.monotonic()
    print(f"{time.strftime('%H:%M:%S')} {what} …", flush=True)
    yield
    print(f"{time.strftime('%H:%M:%S')} {what}: {time.monotonic() - began:.1f} s", flush=True)


def _until(ready: Callable[[], bool], pid: int, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not ready():
        _alive(pid)
        if time.monotonic() > end:
            raise SystemExit("the old app didn't begin")
        time.sleep(0.1)


def _alive(pid: int) -> None:
    if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
        raise SystemExit("the old app broke off")


def _family(pid: int) -> list[int]:
    """A process and those that came from it."""
    found = [pid]
    for one in found:
        try:
            found += [int(child) for child in Path(f"/proc/{one}/task/{one}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _memory(pid: int, what: str) -> int:
    """In kB; 0 when the process has ended."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0
