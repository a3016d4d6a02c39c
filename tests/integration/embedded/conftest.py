import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rushes.adapters.postgres.embedded import Binaries, account
from rushes.adapters.postgres.embedded.binaries import runnable
from rushes.adapters.postgres.embedded.home import Home
from tests.integration.embedded.place import Place
from tests.postgres import binaries, reachable_folder

ORDINARY = pwd.getpwnam("nobody").pw_uid
AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="session")
def packaged_binaries() -> Iterator[Path]:
    """Copied, when these tests run as root and an ordinary user couldn't read them where they are."""
    packaged = binaries("embedded")
    assert packaged
    with tempfile.TemporaryDirectory(dir=reachable_folder(), prefix="rushes-binaries-") as folder:
        Path(folder).chmod(0o711)
        yield _readable(packaged, Path(folder)).folder


@pytest.fixture(scope="session", params=["embedded", "installed"])
def each_postgres(request: pytest.FixtureRequest, packaged_binaries: Path) -> Path:
    """The packaged PostgreSQL, then the machine's own, in folders that every user can read."""
    return _folder_of(request.param, packaged_binaries)


@pytest.fixture(params=["embedded-root", "embedded-ordinary", "installed-root"])
def every_kind(request: pytest.FixtureRequest, packaged_binaries: Path) -> Iterator[Place]:
    """An empty place for each kind of PostgreSQL and of user."""
    flavour, user = request.param.split("-")
    yield from _places(_folder_of(flavour, packaged_binaries), _uid_of(user))


@pytest.fixture
def empty_place(packaged_binaries: Path) -> Iterator[Place]:
    """A place for the user that runs the tests, where nothing is yet."""
    yield from _places(packaged_binaries, None)


@pytest.fixture(params=["root", "ordinary"])
def each_empty_place(request: pytest.FixtureRequest, packaged_binaries: Path) -> Iterator[Place]:
    """An empty place of root, then one of an ordinary user."""
    yield from _places(packaged_binaries, _uid_of(request.param))


@pytest.fixture
def place(empty_place: Place, made: Home) -> Place:
    """A place for the user that runs the tests, with a cluster."""
    return _furnished(empty_place, made)


@pytest.fixture
def each_place(each_empty_place: Place, made: Home) -> Place:
    """A place with a cluster, of root, then of an ordinary user."""
    return _furnished(each_empty_place, made)


@pytest.fixture
def ordinary_place(packaged_binaries: Path, made: Home) -> Iterator[Place]:
    """A place with a cluster, of an ordinary user."""
    for each in _places(packaged_binaries, _uid_of("ordinary")):
        yield _furnished(each, made)


@pytest.fixture(scope="session")
def made(packaged_binaries: Path) -> Iterator[Home]:
    """A stopped cluster, made once: making one takes a second, copying it a tenth."""
    for each in _places(packaged_binaries, None):
        with each.embedded():
            pass
        yield each.home


def _folder_of(flavour: str, packaged: Path) -> Path:
    chosen = binaries(flavour)
    if chosen is None:
        pytest.skip(f"no {flavour} PostgreSQL here")
    return packaged if flavour == "embedded" else chosen.folder


def _uid_of(user: str) -> int | None:
    if user == "root" and not AS_ROOT:
        pytest.skip("needs root")
    return ORDINARY if user == "ordinary" and AS_ROOT else None


def _readable(packaged: Binaries, folder: Path) -> Binaries:
    if not AS_ROOT:
        return packaged
    return runnable(packaged, account.Account(uid=ORDINARY, gid=ORDINARY, switched=True), copies=folder)


def _furnished(place: Place, made: Home) -> Place:
    home = place.settled()
    owner = account.Account(place.uid, place.uid, True) if place.uid else account.owner_of(made.cluster)
    shutil.copytree(made.cluster, home.cluster)
    owner.take_tree(home.cluster)
    for file in (made.password, made.log):
        copy = home.root / file.name
        shutil.copy2(file, copy)
        if place.uid:
            owner.take(copy)
    return place


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
