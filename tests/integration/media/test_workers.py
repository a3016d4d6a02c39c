"""Workers that hang, die, run out of memory, or are left alone."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from rushes.adapters.media import MediaWorkers
from rushes.adapters.media.problem import Unreadable
from rushes.adapters.media.workers import Worker
from rushes.adapters.storage.local import LocalStorage
from tests.integration.media.made import POSTER, THUMB, saved, stream, two_halves

pytestmark = pytest.mark.anyio


@pytest.fixture
async def worker(anyio_backend):
    started = Worker(memory_bytes=3 * 1024**3, task_seconds=1.0)
    yield started
    await started.stop()


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.png"
    path.write_bytes(saved(two_halves(), "PNG"))
    return {"task": "probe", "path": str(path), "content_type": "image/png"}


@pytest.fixture
def hanging(tmp_path):
    """A pipe nobody writes to: opening it hangs."""
    os.mkfifo(tmp_path / "pipe")
    return {"task": "probe", "path": str(tmp_path / "pipe"), "content_type": "image/png"}


async def test_a_hung_worker_is_replaced(worker, good, hanging):
    assert (await worker.ask(good))["width"] == 80
    first = worker.pid
    with pytest.raises(Unreadable, match="longer than 1 s"):
        await worker.ask(hanging)
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    assert (await worker.ask(good))["width"] == 80


async def test_a_dead_worker_is_replaced(worker, good, hanging):
    await worker.ask(good)
    asking = asyncio.create_task(worker.ask(hanging))
    await asyncio.sleep(0)
    os.kill(worker.pid, signal.SIGSEGV)
    with pytest.raises(Unreadable, match=r"crashed the decoder \(SIGSEGV\)"):
        await asking
    assert (await worker.ask(good))["width"] == 80


async def test_a_cancelled_question_leaves_no_stale_answer(worker, good, hanging):
    await worker.ask(good)
    asking = asyncio.create_task(worker.ask(hanging))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await worker.ask(good))["width"] == 80


async def test_memory_is_bounded(tmp_path, good):
    path = tmp_path / "large.png"
    path.write_bytes(saved(two_halves((9000, 9000)), "PNG"))
    worker = Worker(memory_bytes=400 * 1024**2, task_seconds=20.0)
    try:
        answer = await worker.ask({"task": "preview", "path": str(path), "content_type": "image/png"})
        assert "memory" in answer["problem"]
        assert (await worker.ask(good))["width"] == 80
    finally:
        await worker.stop()


ABANDONING = """
import asyncio, sys
from rushes.adapters.media.workers import Worker

async def main():
    worker = Worker(memory_bytes=3 * 1024**3, task_seconds=60.0)
    await worker.ask({"task": "probe", "path": "/none", "content_type": "image/png"})
    print(worker.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_worker_goes_with_its_parent():
    with subprocess.Popen([sys.executable, "-c", ABANDONING], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def alive(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state.strip()) and not state.startswith("Z")


class Remote:
    """A store that keeps its objects elsewhere: it has no paths."""

    def __init__(self, store: LocalStorage) -> None:
        self.put, self.open, self.stat = store.put, store.open, store.stat


async def test_a_remote_store_is_spooled(tmp_path):
    store = LocalStorage(tmp_path / "objects")
    media = MediaWorkers(Remote(store), temp_dir=tmp_path / "temp")  # type: ignore[arg-type]  # what Media uses
    await media.start()
    try:
        await store.put("a/b", stream(saved(two_halves(), "PNG")), content_type="image/png")
        probe = await media.probe("a/b")
        preview = await media.preview("a/b", probe, thumb_key=THUMB, poster_key=POSTER)
    finally:
        await media.stop()
    assert (probe.width, preview.thumb_key) == (80, THUMB)
    assert list((tmp_path / "temp").iterdir()) == []


async def test_many_at_once(shelf):
    for number in range(12):
        await shelf.store.put(f"m/{number}", stream(saved(two_halves(), "PNG")), content_type="image/png")
    probes = await asyncio.gather(*(shelf.media.probe(f"m/{number}") for number in range(12)))
    assert {probe.width for probe in probes} == {80}
