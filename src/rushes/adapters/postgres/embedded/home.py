"""Where a data directory's cluster lives, and the check that it is ours."""

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rushes.adapters.postgres.embedded import account
from rushes.adapters.postgres.embedded.problems import foreign
from rushes.domain.errors import InvalidSetting

SYSTEM_DIR = Path("/var/lib/rushes")


@dataclass(frozen=True)
class Home:
    """The directory with the cluster, its locks, password, port and log: DIR itself, for root one of our own."""

    data_dir: Path
    root: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory. It is there only when it is whole."""
        return self.root / "postgres"

    @property
    def start_lock(self) -> Path:
        """Held while somebody starts or stops the server."""
        return self.root / "postgres.lock"

    @property
    def users(self) -> Path:
        """Shared by every command that uses the server."""
        return self.root / "postgres.users"

    @property
    def server_lock(self) -> Path:
        """Held by the postmaster and all its children, so it tells whether any of them lives."""
        return self.root / "postgres.server"

    @property
    def password(self) -> Path:
        """The superuser's password, readable by us alone."""
        return self.root / "postgres.password"

    @property
    def port(self) -> Path:
        """The port of the last start."""
        return self.root / "postgres.port"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.root / "postgres.log"

    @property
    def name(self) -> str:
        """What the server's processes call themselves, different for every cluster."""
        return "rushes-" + hashlib.sha256(os.fsencode(self.cluster)).hexdigest()[:12]


def locate(data_dir: Path, *, system_dir: Path = SYSTEM_DIR) -> Home:
    """The home of a data directory, made if need be. Raises OSError, InvalidSetting (it is another user's)."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    link = data_dir.resolve() / "postgres"
    if account.is_root() and not os.path.lexists(link):
        _make_system_home(link, system_dir)
    return _home_behind(link)


def find(data_dir: Path) -> Home | None:
    """The home of a data directory, None when no database was ever started there. Makes nothing."""
    link = data_dir.resolve() / "postgres"
    return _home_behind(link) if os.path.lexists(link) else None


def _home_behind(link: Path) -> Home:
    if os.path.lexists(link):
        _check_owner(link)
    target = link.resolve()
    if not target.parent.is_dir():
        raise _gone(link)
    return Home(data_dir=link.parent, root=target.parent)


def _check_owner(link: Path) -> None:
    """A cluster is its user's alone. Root's lies behind a link of root's; a plain directory is an ordinary user's."""
    owners = [link.lstat().st_uid]
    if link.exists() and not account.is_root():
        owners.append(link.stat().st_uid)
    for uid in owners:
        if uid != os.geteuid():
            raise foreign(link, uid)
    if account.is_root() and not link.is_symlink():
        raise InvalidSetting(
            f"{link} belongs to root, as whom PostgreSQL can't run: move it away, then Rushes starts with an empty "
            f"database, or give it to an ordinary user and run Rushes as that user."
        )


def _make_system_home(link: Path, system_dir: Path) -> None:
    if not system_dir.is_dir():
        with suppress(FileExistsError):
            _make(system_dir, 0o755)
    digest = hashlib.sha256(os.fsencode(link.parent)).hexdigest()[:16]
    root = system_dir.resolve() / digest
    try:
        _make(root, 0o711)
    except FileExistsError:  # of a directory of this name that was moved or deleted since: never reused
        root = root.with_name(f"{digest}-{secrets.token_hex(4)}")
        _make(root, 0o711)
    try:
        link.symlink_to(root / "postgres")
    except FileExistsError:  # another command was faster
        root.rmdir()
    else:
        _link_log(link, root)


def _make(path: Path, mode: int) -> None:
    """A directory of exactly this mode, whatever the umask, so that the server's user can pass through."""
    path.mkdir(parents=True)
    path.chmod(mode)


def _link_log(link: Path, root: Path) -> None:
    log = link.with_name("postgres.log")
    if not log.exists() and not log.is_symlink():
        log.symlink_to(root / "postgres.log")


def _gone(link: Path) -> InvalidSetting:
    return InvalidSetting(
        f"The database of {link.parent} was in {link.readlink()}, which is gone. Bring it back, "
        f"or delete the link {link} to start with an empty database."
    )
