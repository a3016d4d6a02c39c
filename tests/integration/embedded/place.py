"""A data directory for one test, in a folder that any user can reach, and the commands that use it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rushes.adapters.postgres.embedded import EmbeddedPostgres, processes
from rushes.adapters.postgres.embedded.home import Home, locate

FAST = {"fsync": "off"}
ROOT = Path(__file__).parents[3]


class Command:
    """A running `command.py`."""

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.embedded.command", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def heard(self) -> dict[str, Any]:
        """The next thing it says."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the command ended without a word"
        said: dict[str, Any] = json.loads(line)
        return said

    def url(self) -> str:
        said = self.heard()
        assert "url" in said, said
        return str(said["url"])

    def leave(self) -> bool:
        """End it the clean way: whether it stopped the server."""
        assert self.process.stdin
        self.process.stdin.close()
        stopped = bool(self.heard()["stopped"])
        self._collect()
        return stopped

    def kill(self) -> None:
        """kill -9"""
        self.process.kill()
        self._collect()

    def _collect(self) -> None:
        self.process.wait(timeout=20)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()


@dataclass
class Place:
    """`uid`: the ordinary user whose place it is; None when it is that of whoever runs the tests."""

    folder: Path
    binaries: Path | None
    uid: int | None = None
    commands: list[Command] = field(default_factory=list)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def cluster(self) -> Path:
        return (self.data_dir / "postgres").resolve()

    @property
    def home(self) -> Home:
        return Home(data_dir=self.data_dir.resolve(), root=self.cluster.parent)

    def settled(self) -> Home:
        """Its home, made as a start makes it."""
        if self.uid is None:
            return locate(self.data_dir, system_dir=self.folder / "system")
        return self.home

    def embedded(self, **changes: Any) -> EmbeddedPostgres:
        """In this process, as the user that runs the tests."""
        chosen: dict[str, Any] = {"binaries": self.binaries, "settings": FAST, "timeout": 20.0}
        return EmbeddedPostgres(self.data_dir, system_dir=self.folder / "system", **(chosen | changes))

    def command(self, data_dir: Path | None = None) -> Command:
        """In a process of its own, as the place's user."""
        arguments = [str(data_dir or self.data_dir), "--system-dir", str(self.folder / "system")]
        arguments += ["--settings", json.dumps(FAST)]
        arguments += ["--binaries", str(self.binaries)] if self.binaries else []
        arguments += ["--uid", str(self.uid)] if self.uid is not None else []
        self.commands.append(Command(arguments))
        return self.commands[-1]

    def postmaster(self) -> int:
        """Its process id."""
        (found,) = [each for each in processes.postmasters(self.cluster) if self._is_first(each.pid)]
        return found.pid

    def kill_postmaster(self) -> None:
        """kill -9, and wait until it is gone; its children may live on."""
        pid = self.postmaster()
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: pid not in {each.pid for each in processes.postmasters(self.cluster)})

    def alive(self) -> list[processes.Process]:
        """Every process of the cluster."""
        return processes.leftovers(self.cluster, self.home.name)

    def modes(self, *more: Path) -> dict[Path, tuple[int, int, int]]:
        """Mode and owner of the data directory, the binaries, and all folders above them."""
        folders = [self.data_dir, *([self.binaries] if self.binaries else []), *more]
        states = {path: path.stat() for folder in folders for path in (folder, *folder.parents)}
        return {path: (state.st_mode, state.st_uid, state.st_gid) for path, state in states.items()}

    def clear(self) -> None:
        """After the test: what it started ends, what it made goes."""
        for command in self.commands:
            command.kill()
        if self.cluster.exists():
            for process in self.alive():
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            eventually(lambda: not self.alive())
        shutil.rmtree(self.folder)

    def _is_first(self, pid: int) -> bool:
        """A child looks like its postmaster for a moment, until it names itself."""
        lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        return int(lines[0]) == pid


def eventually(true: Callable[[], object], *, seconds: float = 15) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
