"""The parts that need no server."""

import os
import subprocess
import sys
from pathlib import Path

from rushes.adapters.postgres.embedded import log
from rushes.adapters.postgres.embedded.locks import FileLock, is_locked
from tests.integration.embedded.place import Place


def test_a_long_log_is_put_aside_while_the_server_writes(tmp_path: Path) -> None:
    path = tmp_path / "postgres.log"
    server = log.open_log(path)
    for number in range(6):
        os.write(server, f"{number}".encode() * 100)
        assert log.rotate(path, limit_bytes=50) is True
    os.write(server, b"the end")
    os.close(server)
    assert log.rotate(path, limit_bytes=50) is False
    assert path.read_text() == "the end"
    older = {each.name: each.read_text()[0] for each in tmp_path.glob("postgres.log.*")}
    assert older == {"postgres.log.1": "5", "postgres.log.2": "4", "postgres.log.3": "3"}


def test_the_log_lies_in_the_data_directory(place: Place) -> None:
    with place.embedded():
        assert "ready to accept connections" in (place.data_dir / "postgres.log").read_text()


def test_shared_and_exclusive(tmp_path: Path) -> None:
    one, two = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.acquire(shared=True)
    assert two.acquire(shared=True)
    assert one.make_exclusive() is False
    assert two.make_exclusive() is False, "one still shares it"
    one.release()
    assert two.make_exclusive() is True
    assert is_locked(two.path)
    assert one.acquire(timeout=0.05) is False
    two.make_shared()
    assert one.acquire(shared=True)
    assert not is_locked(one.path)
    one.release()
    two.release()


def test_a_lock_on_a_file_that_was_removed_is_none(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    old, new = FileLock(path), FileLock(path)
    assert old.acquire()
    path.unlink()
    assert new.acquire()
    assert old.path.stat().st_ino == os.fstat(new.descriptor()).st_ino
    old.release()
    assert is_locked(path)
    new.release()


def test_a_child_that_inherits_a_lock_keeps_it(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire()
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock.descriptor(),)
    )
    lock.release()
    assert is_locked(lock.path)
    child.communicate(b"\n")
    assert not is_locked(lock.path)
