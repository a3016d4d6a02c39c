"""The session key: made once, kept to its owner, and refused when it is damaged."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rushes.adapters.auth.keyfile import session_key
from rushes.domain.errors import InvalidSetting

ASK = "import sys, pathlib; from rushes.adapters.auth.keyfile import session_key; " \
      "sys.stdin.readline(); print(session_key(pathlib.Path(sys.argv[1])).hex())"  # fmt: skip


def test_it_is_made_once_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "session.key"
    key = session_key(path)
    assert len(key) == 32
    assert session_key(path) == key
    assert session_key(tmp_path / "other.key") != key


def test_only_its_owner_may_read_it_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    session_key(tmp_path / "session.key")
    assert stat.S_IMODE((tmp_path / "session.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["session.key"]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, str(tmp_path / "session.key")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in asking:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    assert len({process.communicate()[0] for process in asking}) == 1
    assert all(process.returncode == 0 for process in asking)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 31])
def test_a_damaged_key_is_refused_with_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "session.key").write_bytes(content)
    with pytest.raises(InvalidSetting, match=r"damaged.*Delete it"):
        session_key(tmp_path / "session.key")


def test_a_folder_in_its_place_is_refused_with_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="can't be used"):
        session_key(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InvalidSetting, match="can't be used"):
        session_key(tmp_path / "file" / "session.key")
