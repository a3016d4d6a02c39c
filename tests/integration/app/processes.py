"""`rushes …` as processes that can be killed, over one database and one storage."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class Process:
    """A `rushes` command; what it says goes to a file. It is gone after the block."""

    def __init__(self, folder: Path, *arguments: str, **settings: object) -> None:
        self._output = folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
        self._arguments = [sys.executable, "-m", "rushes", *arguments]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RUSHES_")}
        self._environment = kept | {f"RUSHES_{name.upper()}": str(value) for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                self._arguments, env=self._environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
        if kind:
            print(self.said())

    def said(self) -> str:
        return self._output.read_text(errors="replace")

    def until_said(self, words: str, *, seconds: float = 30) -> str:
        """The line that holds those words."""
        end = time.monotonic() + seconds
        while True:
            for line in self.said().splitlines():
                if words in line:
                    return line
            assert self._process is not None
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < end, f"never said {words!r}: {self.said()}"
            time.sleep(0.02)

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def ended(self, *, seconds: float = 20) -> int:
        """Its exit code."""
        assert self._process is not None
        return self._process.wait(seconds)
