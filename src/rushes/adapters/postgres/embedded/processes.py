"""Which running processes belong to a cluster, told by their command lines."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A running process: its number, its user, its command line as one text."""

    pid: int
    uid: int
    command: str


def postmasters(cluster: Path) -> list[Process]:
    """Servers started on a cluster, by whomever."""
    return [each for each in _belonging(cluster) if f"-D {cluster} " in f"{each.command} "]


def leftovers(cluster: Path, name: str) -> list[Process]:
    """Postmaster and children of the cluster that calls itself `name`."""
    marks = (f"-D {cluster} ", f"postgres: {name}: ")
    return [each for each in _belonging(cluster) if any(mark in f"{each.command} " for mark in marks)]


def _belonging(cluster: Path) -> Iterator[Process]:
    try:
        owner = cluster.stat().st_uid
    except FileNotFoundError:
        return iter(())
    listed = _from_proc() if Path("/proc/self/cmdline").exists() else _from_ps()
    return (each for each in listed if each.uid == owner and "postgres" in each.command)


def _from_proc() -> Iterator[Process]:
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            command = Path(entry.path, "cmdline").read_bytes()
            uid = entry.stat().st_uid
        except OSError:  # ended meanwhile
            continue
        yield Process(pid=int(entry.name), uid=uid, command=os.fsdecode(command.replace(b"\0", b" ")))


def _from_ps() -> Iterator[Process]:
    output = subprocess.run(
        ["ps", "-axww", "-o", "pid=,uid=,command="], capture_output=True, text=True, check=True
    )
    for line in output.stdout.splitlines():
        pid, uid, command = line.split(None, 2)
        yield Process(pid=int(pid), uid=int(uid), command=command)
