"""What the local store does when the disk is full, the process is killed, or memory must not grow."""

import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from rushes.adapters.storage.local import LocalStorage
from rushes.domain.errors import InvalidRequest, NotFound, StorageFull, Unavailable
from tests.contract.storage.streams import keys, put, read, repeated

pytestmark = pytest.mark.anyio

WRITER = """
import asyncio, resource, sys
from pathlib import Path
from rushes.adapters.storage.local import LocalStorage

async def endless():
    for count in range(1_000_000):
        yield b"x" * 400_000
        if count == 5:
            print("writing", flush=True)

async def main():
    store = LocalStorage(Path(sys.argv[1]))
    await store.start()
    if len(sys.argv) > 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    await store.put("a/b", endless(), content_type="text/plain")

asyncio.run(main())
"""


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if not path.is_dir()]


async def test_memory_does_not_grow_with_the_file(disk):
    tracemalloc.start()
    try:
        await disk.put("a/big", repeated(os.urandom(65_536), 1024), content_type="video/mp4")
        total = 0
        async for block in disk.open("a/big"):
            total += len(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 64 * 1024 * 1024
    assert peak < 8 * 1024 * 1024


def test_kill_in_the_middle_leaves_nothing(tmp_path):
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        (half_written,) = files(tmp_path)
        writer.send_signal(signal.SIGSTOP)
        restart(tmp_path)
        assert files(tmp_path) == [half_written]  # it is still being written: kept
        writer.kill()
    restart(tmp_path)
    assert files(tmp_path) == []


def restart(root: Path) -> None:
    code = "import asyncio, sys; from pathlib import Path; from rushes.adapters.storage.local import LocalStorage; "
    subprocess.run(
        [sys.executable, "-c", code + "asyncio.run(LocalStorage(Path(sys.argv[1])).start())", str(root)],
        check=True,
    )


def test_a_file_past_the_disk_s_size_limit(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path), "3000000"], capture_output=True, text=True, check=False
    )
    assert "StorageFull" in done.stderr
    assert "no room left" in done.stderr
    assert files(tmp_path) == []


@pytest.fixture
def tiny_disk(tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a tiny disk needs root; the size-limit test covers the rest")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


async def test_a_full_disk(tiny_disk):
    store = LocalStorage(tiny_disk, min_free_bytes=1_000_000)
    await put(store, "a/small", b"old")
    await store.check()
    with pytest.raises(StorageFull, match="free some space"):
        await store.put("a/small", repeated(b"x" * 100_000, 100), content_type="text/plain")
    assert await read(store, "a/small") == b"old"
    assert files(tiny_disk) == [tiny_disk / "a/small"]
    await put(store, "a/filler", b"x" * 1_500_000)
    with pytest.raises(StorageFull):
        await store.check()
    await store.delete_many(["a/filler"])
    await store.check()


async def test_deleting_removes_empty_folders_but_never_the_root(disk, tmp_path):
    await put(disk, "w/t/j/a", b"x")
    await put(disk, "w/t/k/a", b"x")
    await disk.delete_many(["w/t/j/a"])
    assert sorted(path.name for path in (tmp_path / "objects/w/t").iterdir()) == ["k"]
    await disk.delete_many(["w/t/k/a"])
    assert [path.name for path in (tmp_path / "objects").iterdir()] == [".incoming"]


async def test_a_link_inside_the_root_is_no_object(disk, tmp_path):
    await put(disk, "a/real", b"x")
    secret = tmp_path / "secret"
    secret.write_text("s")
    (tmp_path / "objects/a/link").symlink_to(secret)
    (tmp_path / "objects/a/inner").symlink_to("real")
    assert await keys(disk) == ["a/real"]
    with pytest.raises(InvalidRequest):
        await read(disk, "a/link")
    with pytest.raises((NotFound, Unavailable)):
        await read(disk, "a/inner")
    await put(disk, "a/inner", b"own")  # replaces the link, never writes through it
    assert (await read(disk, "a/real"), await read(disk, "a/inner")) == (b"x", b"own")


async def test_a_pipe_in_the_root_hangs_nobody(disk, tmp_path):
    await put(disk, "a/real", b"x")
    os.mkfifo(tmp_path / "objects/a/pipe")
    with pytest.raises(NotFound):
        await read(disk, "a/pipe")
    assert await keys(disk) == ["a/real"]


async def test_a_root_that_can_t_be_used(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = LocalStorage(tmp_path / "file")
    for attempt in (store.start(), store.check(), put(store, "a/b", b"x")):
        with pytest.raises(Unavailable, match="storage folder"):
            await attempt


async def test_copy_shares_the_bytes(disk, tmp_path):
    await put(disk, "a/one", b"x")
    await disk.copy("a/one", "b/two")
    root = tmp_path / "objects"
    assert (root / "a/one").stat().st_ino == (root / "b/two").stat().st_ino
    assert files(root / ".incoming") == []


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files by /proc")
async def test_no_file_stays_open(disk):
    before = open_files()
    for number in range(20):
        await put(disk, f"a/{number}", b"x")
        await read(disk, f"a/{number}")
    assert open_files() <= before + 2
