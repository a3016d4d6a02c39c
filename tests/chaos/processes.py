"""Processes of the installation. They are forked from one that has imported everything: a start takes no second."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

PRELOADED = ["rushes.cli", "rushes.bootstrap.up", "rushes.testing.comfyui.__main__", "tests.chaos.processes"]


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


class Part:
    """One process: killed, paused, ended and started again, always with the same arguments."""

    def __init__(
        self,
        name: str,
        main: Callable[[], int],
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        self.name = name
        self.log = log
        self._main = main
        self._arguments = list(arguments)
        self._environment = dict(environment)
        self._process: ForkServerProcess | None = None
        self.paused = False

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.alive:
            return
        self.paused = False
        self._process = _context().Process(
            target=_run, args=(self._main, self._arguments, self._environment, str(self.log)), name=self.name
        )
        self._process.start()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int:
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Once it has ended: as a shell would say, minus the signal."""
        return self._process.exitcode if self._process else None

    def kill(self) -> None:
        """At once, as the kernel does when memory runs out."""
        if self._process is not None:
            self._process.kill()
            self._process.join(10)
            assert not self.alive, f"{self.name} outlives a SIGKILL"

    def terminate(self) -> None:
        """SIGTERM; it ends in its own time."""
        self._signal(signal.SIGTERM)

    def ended(self, seconds: float) -> bool:
        """Whether it ends within that time."""
        if self._process is not None:
            self._process.join(seconds)
        return not self.alive

    def pause(self) -> None:
        self.paused = True
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.paused = False
        self._signal(signal.SIGCONT)

    def said(self) -> str:
        """All that its lives have logged."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def until_said(self, words: str, seconds: float = 30) -> None:
        """Wait until the log has it."""
        end = time.monotonic() + seconds
        while words not in self.said():
            assert time.monotonic() < end, f"{self.name} never said {words!r}:\n{self.said()[-3000:]}"
            time.sleep(0.02)

    def _signal(self, number: int) -> None:
        if self.alive:
            os.kill(self.pid, number)


def _run(main: Callable[[], int], arguments: list[str], environment: Mapping[str, str], log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(output, number)
    os.setpgid(0, 0)
    for name in [name for name in os.environ if name.startswith("RUSHES_")]:
        del os.environ[name]
    os.environ.update(environment)
    sys.argv = ["rushes", *arguments]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    sys.exit(main())


def rushes() -> int:
    """The command line."""
    from rushes.cli import main

    main()
    return 0


def comfyui() -> int:
    """The demo server."""
    from rushes.testing.comfyui.__main__ import main

    return main()
