"""Which system user the server runs as: ourselves, or for root (whom PostgreSQL refuses) nobody's number."""

import grp
import os
import pwd
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from rushes.domain.errors import Unavailable

# Neither people, nor packages, nor systemd take numbers from here, and every usual user namespace maps them.
_FREE_UIDS = range(60578, 61184)


class ProcessOwner(TypedDict, total=False):
    """Arguments of subprocess.Popen."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user and a group to run as; `switched` when that isn't ourselves."""

    uid: int
    gid: int
    switched: bool

    def process_owner(self) -> ProcessOwner:
        """Arguments for subprocess.Popen that make the child run as this account."""
        if not self.switched:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take(self, path: Path) -> None:
        """Give this account a file or directory that we made."""
        if self.switched:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def take_tree(self, top: Path) -> None:
        """Give this account everything below a directory that we made."""
        if not self.switched:
            return
        # Closed first, so that its former owner can slip nothing in while we walk.
        os.chown(top, 0, 0)
        for path in _everything_below(top):
            self.take(path)
        self.take(top)


def ourselves() -> Account:
    """The user that runs this process."""
    return Account(uid=os.geteuid(), gid=os.getegid(), switched=False)


def is_root() -> bool:
    """Whether PostgreSQL would refuse to run as this process's user."""
    return os.geteuid() == 0


def owner_of(path: Path) -> Account:
    """The account that owns an existing cluster."""
    status = path.stat()
    return Account(uid=status.st_uid, gid=status.st_gid, switched=status.st_uid != os.geteuid())


def unused(seed: int, taken: Iterable[int] = ()) -> Account:
    """A number that no user, group or other cluster of ours has; `seed` picks where to look first."""
    taken = (
        set(taken) | {entry.pw_uid for entry in pwd.getpwall()} | {entry.gr_gid for entry in grp.getgrall()}
    )
    for step in range(len(_FREE_UIDS)):
        uid = _FREE_UIDS[(seed + step) % len(_FREE_UIDS)]
        if uid not in taken:
            return Account(uid=uid, gid=uid, switched=True)
    raise Unavailable(
        "No free user number is left to run the embedded database as: run Rushes as an ordinary user."
    )


def named() -> Account:
    """An unprivileged account with a name: initdb and the single-user mode look that up, the server doesn't."""
    entries = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not entries:
        raise Unavailable(
            "No user but root is known here: run Rushes as an ordinary user, or set RUSHES_DATABASE_URL."
        )
    entry = next((entry for entry in entries if entry.pw_name == "nobody"), entries[0])
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, switched=True)


def check_named(account: Account) -> None:
    """Raises Unavailable when no cluster can be made as this user, because initdb wants to know its name."""
    try:
        pwd.getpwuid(account.uid)
    except KeyError:
        raise Unavailable(
            f"The user number {account.uid} has no name on this machine, and PostgreSQL makes no database without: "
            "run Rushes as a user that is in /etc/passwd, or set RUSHES_DATABASE_URL."
        ) from None


def _everything_below(top: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            yield Path(folder, name)
