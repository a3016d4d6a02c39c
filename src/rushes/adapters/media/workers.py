"""A few worker processes, each replaced when it hangs or dies."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from typing import Any

from rushes.adapters.media.problem import Unreadable

_LINE_LIMIT = 32 * 1024 * 1024  # a poster and a thumbnail in base64 are far below it
_START_SECONDS = 60.0
_TASKS_PER_WORKER = 500  # then a fresh one, whatever the libraries may leak
_INHERITED = (
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "LANG",
    "TMPDIR",
)  # never the application's secrets


class Worker:
    """One process and the pipe to it."""

    def __init__(self, *, memory_bytes: int, task_seconds: float) -> None:
        self._memory_bytes = memory_bytes
        self._task_seconds = task_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._tasks_left = 0

    @property
    def pid(self) -> int | None:
        """The process id, while there is one."""
        return self._process.pid if self._process else None

    async def ask(self, request: dict[str, str]) -> dict[str, Any]:
        """The worker's answer. Raises Unreadable when it takes too long or dies of the file."""
        try:
            await self._ready()
            self._tasks_left -= 1
            return await asyncio.wait_for(self._exchange(request), self._task_seconds)
        except TimeoutError:
            await self._kill()
            raise Unreadable(f"Looking into the file took longer than {self._task_seconds:g} s.") from None
        except (OSError, EOFError, ValueError):
            code = await self._kill(grace=1.0)  # it is going by itself: let its exit say why
            raise Unreadable(f"Looking into the file crashed the decoder{_signal_words(code)}.") from None
        except asyncio.CancelledError:  # an answer nobody reads would be taken for the next one
            await self._kill()
            raise

    async def stop(self) -> None:
        """End the process; the next question starts another."""
        await self._kill()

    async def _ready(self) -> None:
        if self._process is None or self._tasks_left <= 0:
            await self._kill()
            await asyncio.wait_for(self._start(), _START_SECONDS)

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "rushes.adapters.media.worker",
            str(self._memory_bytes),
            str(self._task_seconds + 5),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LINE_LIMIT,
            env=_environment(),
        )
        await self._read()
        self._tasks_left = _TASKS_PER_WORKER

    async def _exchange(self, request: dict[str, str]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        await self._process.stdin.drain()
        return await self._read()

    async def _read(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _kill(self, *, grace: float = 0.0) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if grace:
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(process.wait(), grace)
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return await process.wait()


class Workers:
    """Meets one question at a time per worker; further ones wait their turn."""

    def __init__(self, count: int, *, memory_bytes: int, task_seconds: float) -> None:
        self._all = [Worker(memory_bytes=memory_bytes, task_seconds=task_seconds) for _ in range(count)]
        self._idle: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()
        for worker in self._all:
            self._idle.put_nowait(worker)

    async def ask(self, request: dict[str, str]) -> dict[str, Any]:
        """The answer of the next idle worker. Raises Unreadable."""
        worker = await self._idle.get()
        try:
            return await worker.ask(request)
        finally:
            self._idle.put_nowait(worker)

    async def stop(self) -> None:
        """End all processes."""
        await asyncio.gather(*(worker.stop() for worker in self._all))


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _signal_words(code: int) -> str:
    return f" ({signal.Signals(-code).name})" if code < 0 else ""
