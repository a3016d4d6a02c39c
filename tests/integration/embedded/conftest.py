import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rushes.adapters.postgres.embedded import Binaries, account
from rushes.adapters.postgres.embedded.binaries import runnable
from tests.integration.embedded.place import Place
from tests.postgres import binaries, reachable_folder

ORDINARY = pwd.getpwnam("nobody").pw_uid


@pytest.fixture(scope="session", params=["embedded", "installed"])
def each_postgres(request: pytest.FixtureRequest, ordinary_binaries: Path) -> Path:
    """The packaged PostgreSQL, then the machine's own, in folders that every user can read."""
    chosen = binaries(request.param)
    if chosen is None:
        pytest.skip(f"no {request.param} PostgreSQL here")
    return ordinary_binaries if request.param == "embedded" else chosen.folder


@pytest.fixture(scope="session")
def ordinary_binaries() -> Iterator[Path]:
    """The packaged programs; copied, when these tests run as root and an ordinary user couldn't read them."""
    packaged = binaries("embedded")
    assert packaged
    with tempfile.TemporaryDirectory(dir=reachable_folder(), prefix="rushes-binaries-") as folder:
        Path(folder).chmod(0o711)
        yield _readable(packaged, Path(folder)).folder


@pytest.fixture
def place(ordinary_binaries: Path) -> Iterator[Place]:
    """A place for the user that runs the tests."""
    yield from _places(ordinary_binaries, None)


@pytest.fixture(params=["root", "ordinary"])
def each_users(request: pytest.FixtureRequest, ordinary_binaries: Path) -> Iterator[Place]:
    """A place of root, then one of an ordinary user."""
    if os.geteuid() != 0:
        if request.param == "root":
            pytest.skip("needs root")
        yield from _places(ordinary_binaries, None)
    else:
        yield from _places(ordinary_binaries, ORDINARY if request.param == "ordinary" else None)


def _readable(packaged: Binaries, folder: Path) -> Binaries:
    if os.geteuid() != 0:
        return packaged
    return runnable(packaged, account.Account(uid=ORDINARY, gid=ORDINARY, switched=True), copies=folder)


def _places(programs: Path, uid: int | None) -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(dir=reachable_folder(), prefix="rushes-embedded-"))
    folder.chmod(0o711)
    place = Place(folder=folder, binaries=programs, uid=uid)
    if uid is not None:
        place.data_dir.mkdir(mode=0o700)
        os.chown(place.data_dir, uid, uid)
    try:
        yield place
    finally:
        place.clear()
