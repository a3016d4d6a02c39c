"""The real command line, in a folder without settings.

`start` gives a command a process of its own. `run` calls the same entry point in the test's process, which spares
a second of imports each time.
"""

import io
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import structlog
from PIL import Image

from rushes.cli import main

SECONDS = 60


class Done:
    """A command that has ended. None may end in a traceback."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        assert "Traceback" not in err, err

    def __repr__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Started:
    """A command that runs; what it writes goes into files, so that nothing holds it up."""

    def __init__(self, args: tuple[str, ...], folder: Path, environment: dict[str, str]) -> None:
        mark = time.monotonic_ns()
        self._out, self._err = folder / f"{mark}.out", folder / f"{mark}.err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rushes", *args],
                cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip

    def ended(self) -> Done:
        """Wait for its end."""
        try:
            code = self.process.wait(SECONDS)
        finally:
            self.process.kill()
        return Done(code, self._out.read_text(), self._err.read_text())

    def stop(self, number: int = signal.SIGTERM) -> Done:
        self.process.send_signal(number)
        return self.ended()

    def says(self, pattern: str) -> str:
        """Wait until it has written that to stderr; the first group, or all of what matched."""
        return self._writes(pattern, self._err)

    def prints(self, pattern: str) -> str:
        """The same of stdout."""
        return self._writes(pattern, self._out)

    def _writes(self, pattern: str, file: Path) -> str:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            found = re.search(pattern, file.read_text())
            if found:
                return found[1] if found.groups() else found[0]
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"never wrote {pattern!r}: {self.stop(signal.SIGKILL)!r}")


@contextmanager
def quiet_again() -> Iterator[None]:
    """Commands set up logging; it is as before afterwards."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    try:
        yield
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(level)


class Rushes:
    """Commands on one data directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"

    def start(self, *args: str, **environment: str) -> Started:
        """Start a command."""
        # compiled modules are kept, or each start would take twice as long
        left_out = ("RUSHES_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return Started(args, self.folder, {**kept, "RUSHES_DATA_DIR": str(self.data_dir), **environment})

    def run(self, *args: str, **environment: str) -> Done:
        """Run a command to its end."""
        out, err = io.StringIO(), io.StringIO()
        code: object = 0
        with (
            pytest.MonkeyPatch.context() as patch, quiet_again(), redirect_stdout(out), redirect_stderr(err),
        ):  # fmt: skip
            for name in [name for name in os.environ if name.startswith("RUSHES_")]:
                patch.delenv(name)
            for name, value in {"RUSHES_DATA_DIR": str(self.data_dir), **environment}.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            patch.setattr("sys.argv", ["rushes", *args])
            try:
                main()
            except SystemExit as end:
                code = end.code
        return Done(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())

    def picture(self, name: str = "picture.png") -> str:
        """A small picture; its path."""
        path = self.folder / name
        Image.new("RGB", (64, 48), (200, 120, 40)).save(path)
        return str(path)
