"""Making a cluster, all or nothing: initdb works beside it, and a rename puts it in place."""

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from rushes.adapters.postgres.embedded import account as accounts
from rushes.adapters.postgres.embedded import password as passwords
from rushes.adapters.postgres.embedded import programs
from rushes.adapters.postgres.embedded.account import Account
from rushes.adapters.postgres.embedded.binaries import Binaries
from rushes.adapters.postgres.embedded.home import Home
from rushes.domain.errors import InvalidSetting

_PARTIAL = "postgres.partial-"
# What the owner may change with ALTER SYSTEM. What Rushes relies on is given on the command line.
_TUNING = """
# Rushes
shared_buffers = 128MB
max_connections = 100
synchronous_commit = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""


def exists(home: Home) -> bool:
    """Whether there is a cluster. Raises InvalidSetting when something else is in its place."""
    if (home.cluster / "PG_VERSION").exists():
        return True
    if home.cluster.exists() and any(home.cluster.iterdir()):
        raise InvalidSetting(
            f"{home.cluster} is not a PostgreSQL data directory, but not empty either: move it away, "
            "or name another data directory (RUSHES_DATA_DIR or --data-dir)."
        )
    return False


def clean_up(home: Home) -> None:
    """Remove what interrupted attempts to make a cluster left behind."""
    for partial in home.root.glob(f"{_PARTIAL}*"):
        shutil.rmtree(partial, ignore_errors=True)


def create(home: Home, binaries: Binaries, account: Account, *, held: Sequence[int], sync: bool) -> None:
    """Make the cluster that `account` will run. initdb keeps the descriptors `held`, and so their locks: the
    next start waits for it even when we were killed. Raises Unavailable."""
    maker = accounts.named() if account.switched else account
    accounts.check_named(maker)
    partial = home.root / f"{_PARTIAL}{secrets.token_hex(4)}"
    partial.mkdir()
    partial.chmod(0o711)
    try:
        cluster = _initdb(partial, binaries, passwords.make(home.password), maker, held=held, sync=sync)
        with (cluster / "postgresql.conf").open("a") as configuration:
            configuration.write(_TUNING)
        account.take_tree(cluster)
        cluster.rename(home.cluster)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _sync_folder(home.root)


def teach_password(home: Home, binaries: Binaries, account: Account) -> None:
    """Give a stopped cluster a new password. Raises Unavailable."""
    statement = f"ALTER ROLE postgres PASSWORD '{passwords.make(home.password)}'\n"
    maker = accounts.named() if account.switched else account
    maker.take_tree(home.cluster)
    try:
        command = [binaries["postgres"], "--single", "-D", str(home.cluster), "postgres"]
        result = programs.run(command, maker, stdin=statement)
    finally:
        account.take_tree(home.cluster)
    if result.returncode or "ERROR" in result.stderr:
        home.password.unlink()  # else the next start would believe in it
        raise programs.failure(home.cluster, result.stderr)


def _initdb(
    folder: Path, binaries: Binaries, password: str, maker: Account, *, held: Sequence[int], sync: bool
) -> Path:
    cluster, word = folder / "cluster", folder / "password"
    cluster.mkdir(mode=0o700)
    maker.take(cluster)
    passwords.write_private(word, password)
    maker.take(word)
    command = [
        binaries["initdb"],
        f"--pgdata={cluster}",
        f"--pwfile={word}",
        "--username=postgres",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        *([] if sync else ["--no-sync"]),
    ]
    for locale in _locales(binaries.major):
        result = programs.run([*command, *locale], maker, held=held)
        if not result.returncode or "locale" not in result.stderr:
            break
    if result.returncode:
        raise programs.failure(folder.parent, result.stderr)
    return cluster


def _locales(major: int) -> list[list[str]]:
    """Best first: text sorted by code point, so that no system library's update can spoil an index, and upper
    and lower case known for every alphabet (plain C knows A to Z alone, and search folds case)."""
    unicode = ["--lc-collate=C", "--lc-ctype=C.UTF-8", "--lc-messages=C"]
    mac = ["--lc-collate=C", "--lc-ctype=en_US.UTF-8", "--lc-messages=C"]
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if major >= 17:
        return [[*builtin, *unicode], [*builtin, *mac], [*builtin, "--locale=C"]]
    return [unicode, mac, ["--locale=C"]]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
