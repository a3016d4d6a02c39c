"""The real thing as a process: `rushes up` with the demo server, a database of its own and two more workflow types."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

WORKFLOWS = Path(__file__).parent / "workflows"
START_SECONDS = 60.0
_UP = re.compile(r"Rushes is up: (http://\S+)")


class RunningRushes:
    """`with RunningRushes(folder, database_url) as rushes: rushes.url`."""

    def __init__(self, folder: Path, database_url: str, *arguments: str) -> None:
        self._folder = folder
        self._database_url = database_url
        self._arguments: Sequence[str] = arguments or ("--demo",)
        self._process: subprocess.Popen[str] | None = None
        self._printed: list[str] = []
        self._up = threading.Event()
        self.url = ""

    def __enter__(self) -> "RunningRushes":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, at the same port as before if there was one."""
        port = self.url.rpartition(":")[2] or "0"
        self._up.clear()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rushes", "up", "--no-browser", "--port", port, *self._arguments],
            env=self._environment(),
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        if not self._up.wait(START_SECONDS) or not self.url:
            raise RuntimeError("rushes up did not come up:\n" + "".join(self._printed[-40:]))

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def said(self, pattern: str) -> re.Match[str]:
        """The last line it printed that matches; waits for it."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for line in reversed(self._printed[:]):
                if found := re.search(pattern, line):
                    return found
            time.sleep(0.02)
        raise AssertionError(f"{pattern} was never printed:\n" + "".join(self._printed[-40:]))

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RUSHES_")}
        return inherited | {
            "RUSHES_DATABASE_URL": self._database_url,
            "RUSHES_DATA_DIR": str(self._folder / "data"),
            "RUSHES_WORKFLOWS_DIR": str(WORKFLOWS),
            "PYTHONUNBUFFERED": "1",
        }

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._printed.append(line)
            if found := _UP.search(line):
                self.url = found[1].rstrip("/")
                self._up.set()
        self._up.set()
        process.stdout.close()
